import type { Context } from 'hono'

/** The codes of rejected requests to the admin listener, and their statuses. */
export const problems = {
  invalid_request: 400,
  invalid_json: 400,
  unauthorized: 401,
  forbidden_host: 403,
  forbidden_page: 403,
  read_only: 403,
  not_found: 404,
  method_not_allowed: 405,
  not_applicable: 409,
  conflict: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  too_many_tries: 429,
  too_many_streams: 429,
  too_many_bodies: 429,
  inbox_unavailable: 503,
  not_ready: 503,
} as const

type ProblemCode = keyof typeof problems

/** A parameter or a member of the body, and the value that was expected. */
export interface Fault {
  name: string
  expected: string
  /** Replaces `name: expected …` in the detail of the answer. */
  message?: string
}

/** An answer in the format of RFC 9457, which the receiver uses too. */
export function problem(context: Context, code: ProblemCode, detail: string, errors?: readonly Fault[]): Response {
  const status = problems[code]
  const title = code.replaceAll('_', ' ')
  return context.body(JSON.stringify({ status, title, detail, code, errors }), status, {
    'content-type': 'application/problem+json',
  })
}

/** Thrown to answer a request with a problem. */
export class ProblemError extends Error {
  readonly code: ProblemCode
  readonly errors: readonly Fault[] | undefined

  constructor(code: ProblemCode, detail: string, errors?: readonly Fault[]) {
    super(detail)
    this.code = code
    this.errors = errors
  }

  /** Lists everything that is wrong. */
  static because(errors: readonly Fault[]): ProblemError {
    const detail = errors.map(({ name, expected, message }) => message ?? `${name}: expected ${expected}`).join('; ')
    const faults = errors.map(({ name, expected }) => ({ name, expected }))
    return new ProblemError('invalid_request', detail, faults)
  }
}
