const width = 30

/** Draws a progress bar over the current line, if the output is a terminal. */
export function progress(done: number, all: number, what: string): void {
  if (!process.stdout.isTTY) return
  const bar = '█'.repeat(Math.round((width * done) / all)).padEnd(width, '░')
  const end = done === all ? '\r\x1b[K' : ''
  process.stdout.write(`\r${bar} ${done}/${all} ${what}\x1b[K${end}`)
}
