import { escapeUnsafeInLines } from '../runtime/untrusted-text.ts'
import { printable, styled } from './output.ts'

/** The result of one check. */
export interface Finding {
  what: string
  state: 'fine' | 'warning' | 'failed'
  found: string
  /** How to fix it. */
  cure?: string | undefined
  /** Lines of the user's code, and the stack of an error in it. */
  trace?: string | undefined
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

/** The finding, and below it the trace and the fix. */
export function findingLines({ what, state, found, cure, trace }: Finding): string[] {
  const [color, mark] = marks[state]
  const lines = [`${styled(color, mark)}${what.padEnd(10)} ${printable(found)}`]
  const indent = ' '.repeat(13)
  if (trace !== undefined) lines.push(...trace.split('\n').map((line) => escapeUnsafeInLines(indent + line).trimEnd()))
  if (cure !== undefined) lines.push(`${indent}${styled('bold', '→')} ${printable(cure)}`)
  return lines
}
