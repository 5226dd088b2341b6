import type { Finding } from '../runtime/finding.ts'
import { escapeUnsafeInLines } from '../runtime/untrusted-text.ts'
import { printable, styled } from './output.ts'

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
