import { printable } from '../format.ts'
import { styled } from '../output.ts'

/** The result of one check. */
export interface Finding {
  what: string
  state: 'fine' | 'doubtful' | 'failed'
  found: string
  /** What to do about it. */
  cure?: string | undefined
}

const marks = { fine: ['green', '✓ '], doubtful: ['yellow', '! '], failed: ['red', '✗ '] } as const

/** The finding, and below it what to do. */
export function findingLines({ what, state, found, cure }: Finding): string[] {
  const [color, mark] = marks[state]
  const line = `${styled(color, mark)}${what.padEnd(10)} ${printable(found)}`
  return cure === undefined ? [line] : [line, `${' '.repeat(13)}${styled('bold', '→')} ${printable(cure)}`]
}
