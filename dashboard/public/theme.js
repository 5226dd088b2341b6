// Sets the theme before the first paint, so that the page does not flash in another one.
try {
  const theme = localStorage.getItem('hookserver.theme')
  if (theme) document.documentElement.dataset.theme = JSON.parse(theme)
} catch {
  // Storage is not available: the page uses the system's theme.
}
