/** Loads the charts' drawing code with the first chart. */
export async function loadChart(): Promise<typeof import('./draw-chart.ts')> {
  mendLanguage()
  return import('./draw-chart.ts')
}

/** uPlot fails to load if the browser's language is not valid, as Chromium's `en-US@posix` under the locale C. */
function mendLanguage(): void {
  try {
    new Intl.NumberFormat(navigator.language)
  } catch {
    Object.defineProperty(navigator, 'language', { value: 'en', configurable: true })
  }
}
