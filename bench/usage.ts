/** Answers the message `usage` in a benchmark process, and ends the process when its parent ends. */
process.on('message', (message) => {
  if (message !== 'usage') return
  const { user, system } = process.cpuUsage()
  process.send?.({ cpu: (user + system) / 1e6, peak: process.resourceUsage().maxRSS * 1024 })
})
process.on('disconnect', () => process.exit(0))
