// Before the first paint, so that the page does not flash in another theme.
try {
  const theme = localStorage.getItem('hookserver.theme')
  if (theme) document.documentElement.dataset.theme = JSON.parse(theme)
} catch {
  // Without storage the page has the system's theme.
}
