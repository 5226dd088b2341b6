/** Shows the log of an attempt, in which `AttemptLog` has put the fields of an entry behind its message, as JSON. */
import { isObject } from '../../runtime/json.ts'
import { stackWithCode } from '../../server/config/code-excerpt.ts'
import { printableLines } from '../output.ts'

/**
 * The lines of a log. The stack of a logged error is below its entry, with the user's line of code.
 * @param at When the attempt ran, in milliseconds since 1970.
 * @param maxStackLines Maximum lines of one stack.
 */
export function logLines(log: string, at: number, maxStackLines: number): string[] {
  return printableLines(log).flatMap((line) => {
    const { message, fields } = splitEntry(line)
    const stacks = Object.entries(fields).filter(([, value]) => typeof value === 'string' && /\n +at /.test(value))
    if (stacks.length === 0) return [line]
    const others = Object.fromEntries(Object.entries(fields).filter(([name]) => !stacks.some(([one]) => one === name)))
    const more = Object.keys(others).length > 0 ? ` ${JSON.stringify(others)}` : ''
    const below = stacks.flatMap(([, stack]) => printableLines(stackWithCode(String(stack), at), maxStackLines))
    return [message + more, ...below.map((one) => `  ${one}`)]
  })
}

/** The message may contain braces, so the fields are the first JSON object that ends with the line. */
function splitEntry(line: string): { message: string; fields: Readonly<Record<string, unknown>> } {
  for (const { index } of line.matchAll(/ (?=\{".*\}$)/g)) {
    try {
      const fields: unknown = JSON.parse(line.slice(index))
      if (isObject(fields)) return { message: line.slice(0, index), fields }
    } catch {
      // a part of the message
    }
  }
  return { message: line, fields: {} }
}
