/** The answer of a benchmark process to `usage`. */
process.on('message', (message) => {
  if (message !== 'usage') return
  const { user, system } = process.cpuUsage()
  // VmHWM, the peak of resident memory since the process began.
  process.send?.({ cpu: (user + system) / 1e6, peak: process.resourceUsage().maxRSS * 1024 })
})
process.on('disconnect', () => process.exit(0))
