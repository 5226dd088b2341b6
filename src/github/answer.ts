/**
 * Reads the JSON of GitHub's API without rounding. Ids of deliveries have 19 digits, more than a JavaScript number can
 * hold: https://github.com/octokit/request.js/issues/797
 */
import { keepDigits, rawNumber } from '../runtime/json.ts'

/** The maximum size of an answer, in bytes. A page of 100 deliveries has about 40 kB. */
export const maxAnswerBytes: number = 4 * 1024 * 1024

/** The same for one delivery: up to 25 MiB of payload (GitHub's limit is 25 MB), and the headers. */
export const maxDeliveryBytes: number = 28 * 1024 * 1024

/** An answer that hookserver cannot use. Another request for the same thing is likely to get the same answer. */
export class AnswerError extends Error {
  override readonly name = 'AnswerError'
}

/**
 * Parses an answer. Ids become text: the integers of members that are called `id` or end with `_id`. Other integers
 * that JavaScript would round become text too.
 * @throws {AnswerError} if the text is not JSON.
 */
export const parseAnswer = (text: string): unknown => parse(text, exactNumber)

/**
 * Parses an answer without regard to digits, which takes a tenth of the time.
 * @throws {AnswerError} if the text is not JSON.
 */
export const parseRounded = (text: string): unknown => parse(text)

function parse(text: string, reviver?: typeof exactNumber): unknown {
  try {
    return JSON.parse(text, reviver)
  } catch (cause) {
    throw new AnswerError(`GitHub's answer is not JSON: ${(cause as Error).message}`, { cause })
  }
}

/** A reviver of `JSON.parse`. */
function exactNumber(key: string, value: unknown, context?: { source?: string }): unknown {
  const isId = (key === 'id' || key.endsWith('_id')) && Number.isSafeInteger(value)
  return isId ? String(value) : keepDigits(key, value, context)
}

/**
 * The JSON of a value that another program has parsed.
 * @throws {AnswerError} if that program has rounded an integer.
 */
export function exactJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member === 'bigint') return rawNumber(String(member))
    if (Number.isInteger(member) && !Number.isSafeInteger(member)) {
      const cure = 'Use the Octokit of the package "octokit" 5.0.0 or later, and do not replace its "request"'
      throw new AnswerError(`This Octokit rounded an integer in GitHub's answer (${member}). ${cure}`)
    }
    return member
  })
}

/** The text of a member, and the JSON around it with `null` in its place. */
interface CutMember {
  member: string
  rest: string
}

/**
 * Cuts a member out of the JSON of an object, so that its text stays as GitHub wrote it.
 * @param path The names that lead to the member. A name that occurs twice counts the last time, as in `JSON.parse`.
 * @returns `undefined` if there is no such member. For a text that is not JSON, the result is not JSON either.
 */
export function cutMember(json: string, path: readonly string[]): CutMember | undefined {
  let [start, end] = [0, json.length]
  for (const name of path) {
    const found = findMember(json, skipSpace(json, start), name)
    if (!found) return undefined
    ;[start, end] = found
  }
  return { member: json.slice(start, end), rest: `${json.slice(0, start)}null${json.slice(end)}` }
}

/** The start and the end of the value of a member. @param at The index of the object's `{`. */
function findMember(json: string, at: number, name: string): [start: number, end: number] | undefined {
  let found: [number, number] | undefined
  if (json[at] !== '{') return undefined
  for (let next = skipSpace(json, at + 1); json[next] === '"'; ) {
    const keyEnd = endOfString(json, next)
    const start = skipSpace(json, skipSpace(json, keyEnd) + 1) // behind the colon
    const end = endOfValue(json, start)
    if (isKey(json.slice(next, keyEnd), name)) found = [start, end]
    next = skipSpace(json, skipSpace(json, end) + 1) // behind the comma
  }
  return found
}

/** Whether a string in JSON is `name`, which has no characters that must be escaped. */
function isKey(text: string, name: string): boolean {
  if (text === `"${name}"`) return true
  try {
    return text.includes('\\') && JSON.parse(text) === name
  } catch {
    return false
  }
}

function endOfValue(json: string, start: number): number {
  if (json[start] === '"') return endOfString(json, start)
  let depth = 0
  for (let at = start; at < json.length; at++) {
    const character = json[at]
    if (character === '"') at = endOfString(json, at) - 1
    else if (character === '{' || character === '[') depth++
    else if (character === '}' || character === ']') {
      if (depth === 0) return at
      if (--depth === 0) return at + 1
    } else if (depth === 0 && (character === ',' || isSpace(character))) return at
  }
  return json.length
}

/** @param start The index of the opening quote. @returns the index behind the closing quote. */
function endOfString(json: string, start: number): number {
  for (let quote = json.indexOf('"', start + 1); quote >= 0; quote = json.indexOf('"', quote + 1)) {
    let before = quote
    while (json[before - 1] === '\\') before--
    if ((quote - before) % 2 === 0) return quote + 1
  }
  return json.length
}

function skipSpace(json: string, at: number): number {
  let next = at
  while (isSpace(json[next])) next++
  return next
}

const isSpace = (character: string | undefined): boolean =>
  character === ' ' || character === '\n' || character === '\r' || character === '\t'
