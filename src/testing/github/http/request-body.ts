import type { IncomingMessage } from 'node:http'
import { isListOf } from '../../../runtime/check-options.ts'
import { type Json, parseObject, textIn } from '../../../runtime/json.ts'
import type { LocalGitHubRequest } from '../options.ts'
import { HttpError, invalid } from './reply.ts'

/** In bytes: more than any request to these routes needs. */
const maxBytes = 1024 * 1024

/** @throws if the body is too long or incomplete. */
export async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request) {
    length += (chunk as Buffer).length
    if (length > maxBytes) throw new Error(`A request has more than ${maxBytes} bytes`)
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString()
}

/** @throws {HttpError} if the text is neither empty nor a JSON object, or if it has half of a surrogate pair. */
export function jsonOf(text: string): Json {
  if (text === '') return {}
  try {
    const value: unknown = JSON.parse(text, wellFormed)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json
  } catch {
    throw new HttpError(400, 'Problems parsing JSON')
  }
  throw new HttpError(400, 'Body should be a JSON object')
}

/** The fields of a form, or the texts of a JSON object, which clients of `/login/oauth/access_token` may send instead. */
export function formOf(text: string, headers: LocalGitHubRequest['headers']): URLSearchParams {
  if (!String(headers['content-type']).startsWith('application/json')) return new URLSearchParams(text)
  const texts = Object.entries(parseObject(text) ?? {}).filter((entry): entry is [string, string] => {
    return typeof entry[1] === 'string'
  })
  return new URLSearchParams(texts)
}

/** The value of a member. URLs and UTF-8 cannot contain a text with half of a surrogate pair. */
function wellFormed(_name: string, value: unknown): unknown {
  if (typeof value === 'string' && !value.isWellFormed()) throw new SyntaxError('Half of a surrogate pair')
  return value
}

/**
 * The list of strings in the member `name` of a body. `undefined` if the member is missing.
 * @throws {HttpError} if the member is anything else.
 */
export function textsIn(body: Json, name: string, resource: string): readonly string[] | undefined {
  const value = body[name]
  if (value === undefined || isListOf(value, (item) => typeof item === 'string')) return value
  throw invalid(resource, name, 'invalid')
}

/**
 * In characters: the maximum length of a body of an issue, a pull request or a comment, of a title, and of the description
 * of a status. GitHub's messages name these limits. GitHub enforces those of a status and of a new pull request. In 2025
 * and 2026, GitHub accepted issues and comments of up to 262,144 bytes, and titles of up to 1024 bytes. The local GitHub
 * rejects them, so that no client depends on more than the messages promise. That GitHub rejects a change of an issue like
 * a new issue is an assumption.
 */
export const maxLength = { body: 65_536, title: 256, description: 140 } as const

/** Whether a text has more characters than its limit. A character of two UTF-16 units counts once. */
export const isTooLong = (text: string, most: number): boolean => text.length > most && [...text].length > most

/**
 * The text in the member `name` of a body.
 * @throws {HttpError} if it is too long.
 */
export function limitedTextIn(body: Json, name: keyof typeof maxLength, resource: string): string | undefined {
  const [text, most] = [textIn(body, name), maxLength[name]]
  if (text === undefined || !isTooLong(text, most)) return text
  throw invalid(resource, name, 'custom', `${name} is too long (maximum is ${most} characters)`)
}
