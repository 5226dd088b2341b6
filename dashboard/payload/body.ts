import { HookError } from '../../src/errors.ts'
import { formField, type PayloadForm } from '../../src/receiver/payload.ts'

/** An object or a list: what a tree can show. */
export type Container = Record<string, unknown> | unknown[]

/** What is in a body, or why nothing can be made of it. */
export type Contents = { value: Container; isRounded: boolean } | { why: string }

/** Reads a body as the server does, but for what the server refuses: it is shown why. */
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
    const why = error instanceof HookError ? error.cause : 'its escapes are not UTF-8'
    return { why: `The body is no form with a payload: ${String(why)}` }
  }
  try {
    const value: unknown = JSON.parse(text)
    if (isContainer(value)) return { value, isRounded: hasRounded(text) }
    return { why: 'The body is JSON, but neither an object nor a list' }
  } catch (error) {
    return { why: `The ${form === 'form' ? 'field “payload”' : 'body'} is not JSON: ${(error as Error).message}` }
  }
}

/** Whether JSON has a number that is another one once it is read, with more digits than fit or too large. */
function hasRounded(text: string): boolean {
  for (const [, number = ''] of text.matchAll(/[[,:]\s*(-?(?:\d[\d.]{15,}|[\d.]+[eE]\+?\d{3,}))/g)) {
    if (String(Number(number)) !== number) return true
  }
  return false
}

export const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null
