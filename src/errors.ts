/**
 * Every error with which a receiver answers a request: code, status, and the default text for the sender.
 * `docs/errors.md` explains each error. A test compares that page with this table.
 */
export const errorTable = {
  not_found: [404, 'Not found'],
  method_not_allowed: [405, 'Webhooks are sent with POST'],
  forbidden_origin: [403, 'Requests must originate from GitHub'],
  ranges_unavailable: [503, 'Error reaching GitHub'],
  address_unknown: [500, 'The address of the client is unknown'],
  missing_signature: [400, 'Missing signature'],
  payload_too_large: [413, 'The payload is too large'],
  body_timeout: [408, 'The body did not arrive in time'],
  body_aborted: [400, 'The body did not arrive completely'],
  overloaded: [503, 'Too many deliveries at once'],
  body_already_parsed: [500, 'The body was consumed before hookserver could verify it'],
  wrong_signature: [400, 'Wrong signature'],
  secret_unavailable: [503, 'The secret is not available'],
  missing_event: [400, 'Missing header: X-GitHub-Event'],
  missing_delivery: [400, 'Missing header: X-GitHub-Delivery'],
  header_too_long: [400, 'X-GitHub-Event and X-GitHub-Delivery must not exceed 100 characters'],
  unsupported_media_type: [415, 'Payloads are application/json or application/x-www-form-urlencoded'],
  invalid_payload: [400, 'The payload is not a JSON object'],
  inbox_unavailable: [503, 'The delivery could not be stored'],
  handler_failed: [500, 'A handler failed'],
  handler_timeout: [503, 'A handler did not finish in time'],
  handler_retry: [503, 'A handler asked for the delivery again'],
  shutting_down: [503, 'Shutting down'],
} as const

/** The machine-readable name of a failure; stable across releases. */
export type ErrorCode = keyof typeof errorTable

const titles: Record<number, string> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

/** V8 and JavaScriptCore capture at most `stackTraceLimit` frames of a stack. */
const stacks = Error as unknown as { stackTraceLimit?: number | undefined }

/** The seconds in `Retry-After` of a 503 without a better estimate. */
const defaultRetryAfter = 10

/** The text, the header `Retry-After` and the cause of a `HookError`. */
export interface HookErrorOptions {
  /** The text for the sender. Default: the text in `errorTable`. */
  detail?: string
  /** Seconds for the header `Retry-After`. Default: 10 for status 503, otherwise the header is left out. */
  retryAfter?: number
  /** The underlying error, for logs and error handlers. hookserver never sends it. */
  cause?: unknown
}

/** The body of an error reply: RFC 9457, with `code` as its extension member. */
export interface Problem {
  /** The status of the reply. */
  status: number
  /** Describes the status: it is the same for all errors with this status. */
  title: string
  /** The message of this error. */
  detail: string
  /** For programs: the text may change. */
  code: ErrorCode
}

/**
 * The error of a rejected request, or of a delivery with a failed handler. It has the members that the error handlers
 * of Express, Fastify, Koa and Hono read (`status`, `statusCode`, `headers`, `expose`, `getResponse()`). Its message is
 * meant for the sender; the error of a handler is only in `cause`.
 */
export class HookError extends Error {
  /** Distinguishes the error, also if another copy of the package has created it. */
  override readonly name = 'HookError'
  /** Names the row of `docs/errors.md` that has the cause and the fix. */
  readonly code: ErrorCode
  /** The status of the reply. */
  readonly status: number
  /** The same as `status`: Fastify's and Express's name for it. */
  readonly statusCode: number
  /** Headers that belong to the status (`Allow`, `Retry-After`), in lower case. */
  readonly headers: Record<string, string>
  /** The message may be shown to the sender (the convention of http-errors, which Koa follows). */
  readonly expose = true

  constructor(code: ErrorCode, options: HookErrorOptions = {}) {
    // Captures no stack, because a rejection is not a bug, and stacks would take time during a flood of rejections.
    const { stackTraceLimit } = stacks
    Reflect.set(stacks, 'stackTraceLimit', 0) // has no effect where intrinsics are frozen
    super(options.detail ?? errorTable[code][1], options)
    Reflect.set(stacks, 'stackTraceLimit', stackTraceLimit)

    this.code = code
    this.status = this.statusCode = errorTable[code][0]
    this.headers = {}
    if (code === 'method_not_allowed') this.headers.allow = 'POST'
    const retryAfter = options.retryAfter ?? (this.status === 503 ? defaultRetryAfter : undefined)
    if (retryAfter !== undefined) this.headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfter)))
  }

  /** The body of `application/problem+json`. */
  problem(): Problem {
    return { status: this.status, title: titles[this.status] ?? 'Error', detail: this.message, code: this.code }
  }

  /** A web `Response` with the body of `problem()`; Hono's error handling calls this. */
  getResponse(): Response {
    const headers = { ...this.headers, 'content-type': 'application/problem+json' }
    return new Response(JSON.stringify(this.problem()), { status: this.status, headers })
  }
}

/** Whether a value is a `HookError`, which may come from another copy of this package. */
export const isHookError = (value: unknown): value is HookError =>
  value instanceof Error && value.name === 'HookError' && typeof (value as Partial<HookError>).problem === 'function'
