// Before the first paint, so that whoever has chosen a theme never sees the other one flash by.
try {
  const theme = localStorage.getItem('hookserver.theme')
  if (theme) document.documentElement.dataset.theme = JSON.parse(theme)
} catch {
  // A browser that keeps nothing shows the theme of its system.
}
