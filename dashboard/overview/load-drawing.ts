/** What draws, which is loaded with the first chart. */
export async function loadDrawing(): Promise<typeof import('./draw.ts')> {
  mendLanguage()
  return import('./draw.ts')
}

/** uPlot does not load where the browser's language is none, as Chromium's `en-US@posix` is under the locale C. */
function mendLanguage(): void {
  try {
    new Intl.NumberFormat(navigator.language)
  } catch {
    Object.defineProperty(navigator, 'language', { value: 'en', configurable: true })
  }
}
