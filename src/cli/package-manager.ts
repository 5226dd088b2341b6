/** Milliseconds between two checks of the parent process. No event reports its end. */
const checkInterval = 500

/** Read when the program starts, because the parent may end soon. */
const parent = process.ppid

/**
 * Calls `stop` when the shell has ended in which npm, npx, pnpm or Yarn started this process. They send SIGTERM only to
 * that shell, which does not pass it on. Without a package manager, the end of the parent means nothing: programs that
 * start a process in the background end on purpose.
 */
export function onScriptEnd(stop: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    stop()
  }, checkInterval)
  timer.unref()
}
