import { isIPv6 } from 'node:net'
import type { Context, MiddlewareHandler } from 'hono'
import { isLoopback } from '../../runtime/loopback.ts'
import { ProblemError } from '../problem.ts'

/**
 * Rejects requests that a foreign page makes a browser send:
 * - Except for health checks and metrics, the header `Host` must name this server, because an attacker can make another
 *   name resolve to this machine (DNS rebinding).
 * - If the browser names the page of the request, the page must be ours.
 */
export class SiteCheck {
  /** The URL of `--admin-url`, if it is set. */
  readonly adminUrl: URL | undefined
  readonly #host: string | undefined

  /** @param host The address of the admin listener. @param url The URL of `--admin-url`. */
  constructor(host: string, url: string | undefined) {
    const everywhere = ['0.0.0.0', '::'].includes(host)
    this.#host = everywhere ? undefined : hostname(isIPv6(host) ? `[${host}]` : host)
    this.adminUrl = url === undefined ? undefined : new URL(url)
  }

  /** For all requests except those that `anyHost` or `page` checks. */
  readonly sameSite: MiddlewareHandler = (context, next) => {
    this.#checkHost(context)
    return this.anyHost(context, next)
  }

  /**
   * For readiness checks and metrics. Probes and Prometheus use any name of the service. DNS rebinding gains nothing
   * here, because these requests read no cookie, and their answers contain no data of deliveries.
   */
  readonly anyHost: MiddlewareHandler = async (context, next) => {
    const origin = context.req.header('origin')
    const otherOrigin = origin !== undefined && !this.#isOurOrigin(context, origin)
    const otherSite = !['same-origin', 'none', undefined].includes(context.req.header('sec-fetch-site'))
    if (otherOrigin || otherSite)
      throw new ProblemError('forbidden_page', 'Requests from pages of other sites are not allowed')
    await next()
  }

  /** For the page of the dashboard: other pages may link to it, but not show it in a frame. */
  readonly page: MiddlewareHandler = async (context, next) => {
    const [mode, destination] = [context.req.header('sec-fetch-mode'), context.req.header('sec-fetch-dest')]
    if (mode !== 'navigate' || destination !== 'document') return this.sameSite(context, next)
    this.#checkHost(context)
    await next()
  }

  /** The URL of `--admin-url`, if the browser used it. Also checks `Origin`, because some proxies change `Host`. */
  adminUrlOf(context: Context): URL | undefined {
    const url = this.adminUrl
    return this.#namesAdminUrl(hostOf(context)) || context.req.header('origin') === url?.origin ? url : undefined
  }

  /** @throws {ProblemError} if the header `Host` does not name this server. */
  #checkHost(context: Context): void {
    const host = hostOf(context)
    if (this.#isDirect(hostname(host)) || this.#namesAdminUrl(host)) return
    const { adminUrl } = this
    const expected = adminUrl ? `${adminUrl.hostname} of --admin-url, localhost` : 'localhost'
    const more = adminUrl ? '' : ', or start the server with --admin-url'
    throw new ProblemError('forbidden_host', `Unknown Host: use ${expected} or the address of --admin-host${more}`)
  }

  #isOurOrigin(context: Context, origin: string): boolean {
    const host = hostOf(context)
    return origin === this.adminUrl?.origin || (!this.#namesAdminUrl(host) && origin === `http://${host}`)
  }

  /** Whether the name in a `Host` header is that of a client which reaches this listener without a proxy. */
  #isDirect(name: string | undefined): boolean {
    return name !== undefined && (isLoopback(name) || name === this.#host)
  }

  /**
   * Whether a `Host` header names `--admin-url`. The port of a name that only a proxy has does not count, because the
   * proxy may leave it out (nginx: `$host`) or send its own. The page of the browser must still have the right port,
   * because `Origin` must equal that of `--admin-url`.
   */
  #namesAdminUrl(host: string): boolean {
    const name = hostname(host)
    if (this.#isDirect(name)) return host === this.adminUrl?.host
    return name !== undefined && name === this.adminUrl?.hostname
  }
}

const hostOf = (context: Context): string => (context.req.header('host') ?? '').toLowerCase()

/**
 * The name in a `Host` header, without the port, normalized as in URLs: lower case, IPv6 in brackets and in its short
 * form. `undefined` if the header is malformed.
 */
function hostname(host: string): string | undefined {
  const [, name] = /^(\[[\da-f:.]+\]|[\w.-]+)(?::\d+)?$/i.exec(host) ?? []
  return name === undefined ? undefined : URL.parse(`http://${name}`)?.hostname
}
