import type { Operator } from '../operator.ts'

/** Milliseconds between two looks: GitHub is asked for one delivery a second. */
const refresh = 1000

interface Screen {
  isTTY?: boolean
  write(text: string): unknown
}

/**
 * Says on a terminal how the gaps stand that are known so far, and writes nothing elsewhere.
 * What it returns takes the line away.
 */
export function showProgress(operator: Pick<Operator, 'overview'>, screen: Screen): () => void {
  if (!screen.isTTY) return () => {}
  const begun = performance.now()
  let ended = false
  const draw = async () => {
    const { missed, asked, arrived } = (await operator.overview()).gaps
    const seconds = Math.round((performance.now() - begun) / 1000)
    const line = `Asking GitHub for ${seconds} s: ${missed} missed, ${asked} asked for, ${arrived} came in`
    if (!ended) screen.write(`\r\x1b[K${line}`)
  }
  const drawIfKnown = () => void draw().catch(() => undefined) // what fails is said at the end
  drawIfKnown()
  const timer = setInterval(drawIfKnown, refresh)
  return () => {
    ended = true
    clearInterval(timer)
    screen.write('\r\x1b[K')
  }
}
