import { HookError } from '../../src/errors.ts'
import { formField, type PayloadForm } from '../../src/receiver/payload.ts'

/** An object or a list, which the tree can show. */
export type Container = Record<string, unknown> | unknown[]

/** The value of a body, or why it cannot be parsed. */
export type Contents = { value: Container; isRounded: boolean } | { why: string }

/** Parses a body as the server does. Returns the reason if the server cannot parse it. */
export function contentsOf(bytes: Uint8Array, form: PayloadForm): Contents {
  if (bytes.length === 0) return { why: 'The body is empty' }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return { why: 'The body is not UTF-8' }
  }
  try {
    if (form === 'form') text = formField(text)
  } catch (error) {
    const why = error instanceof HookError ? error.cause : 'its percent-encoded bytes are not UTF-8'
    return { why: `The body is not a form with a payload: ${String(why)}` }
  }
  try {
    const value: unknown = JSON.parse(text)
    if (isContainer(value)) return { value, isRounded: hasRounded(text) }
    return { why: 'The body is JSON, but neither an object nor an array' }
  } catch (error) {
    return { why: `The ${form === 'form' ? 'field “payload”' : 'body'} is not JSON: ${(error as Error).message}` }
  }
}

/** Whether parsing changes a number, because it has more digits than a double or is too large for one. */
function hasRounded(text: string): boolean {
  for (const [, number = ''] of text.matchAll(/[[,:]\s*(-?(?:\d[\d.]{15,}|[\d.]+[eE]\+?\d{3,}))/g)) {
    if (String(Number(number)) !== number) return true
  }
  return false
}

export const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null
