import { printable, styled } from './output.ts'

/** The result of one check. */
export interface Finding {
  what: string
  state: 'fine' | 'warning' | 'failed'
  found: string
  /** How to fix it. */
  cure?: string | undefined
}

export const fine = (what: string, found: string): Finding => ({ what, state: 'fine', found })

export const warning = (what: string, found: string, cure: string): Finding => ({
  what,
  state: 'warning',
  found,
  cure,
})

export const failed = (what: string, found: string, cure?: string): Finding => ({ what, state: 'failed', found, cure })

const marks = { fine: ['green', '✓ '], warning: ['yellow', '! '], failed: ['red', '✗ '] } as const

/** The finding, and below it the fix. */
export function findingLines({ what, state, found, cure }: Finding): string[] {
  const [color, mark] = marks[state]
  const line = `${styled(color, mark)}${what.padEnd(10)} ${printable(found)}`
  return cure === undefined ? [line] : [line, `${' '.repeat(13)}${styled('bold', '→')} ${printable(cure)}`]
}
