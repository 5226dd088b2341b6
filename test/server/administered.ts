/** Runs an admin listener with a real inbox, and sends requests as a browser or a script does. */

import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import { Hooks } from '../../src/hooks.ts'
import type { Store } from '../../src/inbox/inbox.ts'
import { overrideOptions } from '../../src/internals.ts'
import { type AdminContext, adminListener } from '../../src/server/admin-listener.ts'
import { openLocalReceiver } from '../../src/server/api/create-delivery.ts'
import type { GitHubAccess } from '../../src/server/auth/github-login.ts'
import { Guard } from '../../src/server/auth/guard.ts'
import { Metrics } from '../../src/server/metrics/metrics.ts'
import { childLogger } from '../../src/telemetry/logger.ts'
import { openInbox } from '../inbox/stores.ts'
import { Recorder } from '../recorder.ts'

export const token = 'the-token-of-the-admin'
export const readOnlyToken = 'the-read-only-token'

type AtTheEnd = (work: () => Promise<void>) => void

export interface RequestSpec {
  method?: string
  /** A header that is `undefined` is not sent. Default of `authorization`: the admin token. */
  headers?: Readonly<Record<string, string | undefined>>
  /** A body that is not text or bytes is sent as JSON. */
  body?: unknown
  /** The client's address. Ignored except on Linux, where all of 127.0.0.0/8 is this machine. */
  from?: string
}

export interface Answered {
  status: number
  headers: IncomingHttpHeaders
  bytes: Buffer
  // biome-ignore lint/suspicious/noExplicitAny: JSON of any shape, as a script reads it
  json: any
}

export class Admin {
  readonly inbox: Store
  readonly hooks: Hooks
  readonly recorder: Recorder
  readonly port: number
  /** Closes all open connections. */
  readonly cut: () => void

  constructor(parts: Pick<Admin, 'inbox' | 'hooks' | 'recorder' | 'port' | 'cut'>) {
    this.inbox = parts.inbox
    this.hooks = parts.hooks
    this.recorder = parts.recorder
    this.port = parts.port
    this.cut = parts.cut
  }

  get host(): string {
    return `127.0.0.1:${this.port}`
  }

  get(path: string): Promise<Answered> {
    return this.ask(path)
  }

  post(path: string, body?: unknown): Promise<Answered> {
    return this.ask(path, { method: 'POST', body })
  }

  /** Sends a request with the admin token, unless `headers` say otherwise. */
  async ask(path: string, { method = 'GET', headers = {}, body, from }: RequestSpec = {}): Promise<Answered> {
    const isPlain = typeof body === 'string' || body instanceof Uint8Array
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    const all = Object.entries({ authorization: `Bearer ${token}`, ...type, ...headers })
    const sent = Object.fromEntries(all.filter((header): header is [string, string] => header[1] !== undefined))
    const local = from !== undefined && process.platform === 'linux' ? { localAddress: from } : {}
    const to = { host: '127.0.0.1', port: this.port, path, method, ...local }
    const asked = request({ ...to, headers: sent, agent: false })
    asked.on('error', () => undefined) // the server may answer and close before it has read the body
    asked.end(body === undefined || isPlain ? body : JSON.stringify(body))
    const [response] = await once(asked, 'response')
    const bytes = await bodyOf(response, method)
    const isJson = /json/.test(response.headers['content-type'] ?? '')
    const json = isJson && bytes.length > 0 ? JSON.parse(bytes.toString()) : undefined
    return { status: response.statusCode, headers: response.headers, bytes, json }
  }
}

interface Made extends Partial<Omit<AdminContext, 'guard' | 'metrics' | 'logger'>> {
  /** The configured address of the listener, and the URL that browsers use. */
  adminHost?: string
  adminUrl?: string
  github?: GitHubAccess
  /** Registers the function that closes the listener: after the test (default) or after all tests of the file. */
  atTheEnd?: AtTheEnd
}

export async function openAdmin({ adminHost = '127.0.0.1', adminUrl, ...made }: Made = {}): Promise<Admin> {
  const { atTheEnd = onTestFinished } = made
  const inbox = made.inbox ?? openInbox(undefined, atTheEnd)
  const recorder = new Recorder()
  const hooks = made.hooks ?? new Hooks({ secret: 's', logger: recorder })
  overrideOptions(hooks, { inbox, work: false })
  const localReceiver = openLocalReceiver(hooks)
  const metrics = new Metrics(inbox)
  const guard = new Guard({
    ...{ tokens: { token, readOnlyToken }, inbox, host: adminHost, url: adminUrl, github: made.github },
    logger: childLogger(recorder),
  })
  const server = createServer(
    adminListener({ ...made, inbox, hooks, localReceiver, metrics, guard, logger: childLogger(recorder) }),
  )
  await once(server.listen(0, '127.0.0.1'), 'listening')
  atTheEnd(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    metrics.close()
  })
  const { port } = server.address() as AddressInfo
  return new Admin({ inbox, hooks, recorder, port, cut: () => server.closeAllConnections() })
}

/** The whole body of a response, or the first chunk of an event stream, which does not end. */
export async function bodyOf(response: IncomingMessage, method: string): Promise<Buffer> {
  if (method !== 'GET' || response.headers['content-type'] !== 'text/event-stream') return buffer(response)
  const [chunk] = await once(response, 'data')
  response.destroy()
  return chunk
}

/** A path that needs a token and does not read the inbox. */
export const shown = '/api/v1/openapi.json'
export const noToken = { authorization: undefined }

/** The headers that a browser adds to a request to `host` from a page of the origin. */
export const fromPage = (host: string, origin: string, site = 'same-origin') => ({
  ...{ host, origin, 'sec-fetch-site': site, 'sec-fetch-mode': 'cors', ...noToken },
})

export const logIn = (admin: Admin, headers: Record<string, string | undefined> = {}, given: unknown = token) =>
  admin.ask('/api/v1/session', { method: 'POST', headers: { ...noToken, ...headers }, body: { token: given } })

const cookieOf = ({ headers }: Answered): string => headers['set-cookie']?.[0]?.split(';', 1)[0] ?? ''

export async function withCookie(admin: Admin, given: string = token): Promise<string> {
  return cookieOf(await logIn(admin, fromPage(admin.host, `http://${admin.host}`), given))
}
