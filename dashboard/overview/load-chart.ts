/** Loads uPlot when the first chart is shown. */
export async function loadChart(): Promise<typeof import('./draw-chart.ts')> {
  replaceInvalidLanguage()
  return import('./draw-chart.ts')
}

/** uPlot fails to load if the browser's language is invalid, such as Chromium's `en-US@posix` in the C locale. */
function replaceInvalidLanguage(): void {
  try {
    new Intl.NumberFormat(navigator.language)
  } catch {
    Object.defineProperty(navigator, 'language', { value: 'en', configurable: true })
  }
}
