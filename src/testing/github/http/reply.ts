export interface Reply {
  status: number
  headers?: Record<string, string>
  /** JSON. */
  body?: unknown
  /** HTML or the content of a file, in place of `body`. */
  page?: string | Uint8Array
}

export const ok = (body: unknown, headers: Record<string, string> = {}): Reply => ({ status: 200, headers, body })
export const created = (body: unknown): Reply => ({ status: 201, body })

const documentation = 'https://docs.github.com/rest'

/** An error response of GitHub. `reply` has its status and body. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly reply: Reply

  constructor(
    status: number,
    message: string,
    more: { headers?: Record<string, string>; errors?: unknown[] | string; url?: string } = {},
  ) {
    super(message)
    const { headers = {}, errors, url } = more
    const shown = { message, ...(errors && { errors }), ...(url !== undefined && { url }) }
    const body = { ...shown, documentation_url: documentation, status: String(status) }
    this.reply = { status, headers, body }
  }
}

export const notFound = (message = 'Not Found'): HttpError => new HttpError(404, message)

/** GitHub redirects a GET with 301, and other methods with 307, so that clients repeat the method and the body. */
export const redirect = (method: string, url: string): HttpError =>
  new HttpError(method === 'GET' ? 301 : 307, 'Moved Permanently', { headers: { location: url }, url })

/** The message is not one of GitHub's: it keeps a user from searching for a missing permission. */
export const missingRoute = (method: string, path: string): HttpError =>
  new HttpError(
    404,
    `The local GitHub has no ${path.endsWith('/graphql') ? 'GraphQL API' : `route ${method} ${path}`}. Its routes are in docs/local-github-api.md of hookserver, and ` +
      'route() of LocalGitHub adds one.',
  )

export const archived = (): HttpError => new HttpError(403, 'Repository was archived so is read-only.')
export const suspended = (): HttpError => new HttpError(403, 'This installation has been suspended')
export const badCredentials = (): HttpError => new HttpError(401, 'Bad credentials')

/** @param code `missing_field`, `invalid`, `custom`, as GitHub's documentation explains them. */
export const invalid = (resource: string, field: string, code: string, message?: string): HttpError =>
  new HttpError(422, 'Validation Failed', { errors: [{ resource, field, code, ...(message && { message }) }] })

/** The answer to a request without a user agent, as GitHub's documentation shows it: a text, and no JSON. */
export const withoutUserAgent: Reply = {
  status: 403,
  headers: { 'content-type': 'text/html' },
  page:
    '\r\nRequest forbidden by administrative rules. Please make sure your request has a User-Agent header ' +
    '(https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required). ' +
    'Check https://developer.github.com for other possible causes.\n',
}
