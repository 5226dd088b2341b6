import type { InboxOverview } from './tally.ts'

/** In milliseconds. */
const refresh = 100

export interface ProgressScreen {
  isTTY?: boolean
  write(text: string): unknown
}

/**
 * Keeps a line up to date on a terminal, and writes nothing elsewhere.
 * What it returns takes the line away.
 */
export function showProgress(tally: InboxOverview, total: number, screen: ProgressScreen): () => void {
  if (!screen.isTTY) return () => {}
  const draw = () => screen.write(`\r\x1b[K${progressLine(tally, total)}`)
  draw()
  const timer = setInterval(draw, refresh)
  return () => {
    clearInterval(timer)
    screen.write('\r\x1b[K')
  }
}

function progressLine({ answered, failed, statuses }: InboxOverview, total: number): string {
  const counts = [...statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`)
  if (failed > 0) counts.push(`no answer: ${failed}`)
  const done = answered + failed
  return [`${done} of ${total} (${Math.floor((done / total) * 100)} %)`, ...counts.slice(0, 4)].join('  ')
}
