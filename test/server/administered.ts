/** The admin listener on a port of its own, in front of a real inbox, and requests as a browser or a script sends them. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { Hooks } from '../../src/hooks.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { type AdminContext, adminListener } from '../../src/server/admin-listener.ts'
import { openLocalReceiver } from '../../src/server/api/create-delivery.ts'
import { Guard } from '../../src/server/auth/guard.ts'
import { Metrics } from '../../src/server/metrics/metrics.ts'
import { childLogger } from '../../src/telemetry/logger.ts'
import { openInbox } from '../inbox/stores.ts'
import { Recorder } from '../recorder.ts'
import { bodyOf } from './answer-body.ts'

export const token = 'a token that nobody guesses'.replaceAll(' ', '-')
export const readOnlyToken = 'a token to look with'.replaceAll(' ', '-')

type AtTheEnd = (work: () => Promise<void>) => void

export interface Asked {
  method?: string
  /** Those of `undefined` are not sent; without `authorization` it is the token's. */
  headers?: Readonly<Record<string, string | undefined>>
  /** What is no text is sent as JSON. */
  body?: unknown
  /** The address that it comes from. All of 127.0.0.0/8 is this machine, on Linux. */
  from?: string
}

export interface Answered {
  status: number
  headers: IncomingHttpHeaders
  bytes: Buffer
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server says, as a script sees it
  json: any
}

export class Admin {
  readonly inbox: Inbox
  readonly hooks: Hooks
  readonly recorder: Recorder
  readonly port: number
  /** Cuts all connections that are open. */
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

  /** As a script does, with the token, unless `headers` say otherwise. */
  async ask(path: string, { method = 'GET', headers = {}, body, from }: Asked = {}): Promise<Answered> {
    const isPlain = typeof body === 'string' || body instanceof Uint8Array
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    const all = Object.entries({ authorization: `Bearer ${token}`, ...type, ...headers })
    const sent = Object.fromEntries(all.filter((header): header is [string, string] => header[1] !== undefined))
    const local = from !== undefined && process.platform === 'linux' ? { localAddress: from } : {}
    const to = { host: '127.0.0.1', port: this.port, path, method, ...local }
    const asked = request({ ...to, headers: sent, agent: false })
    asked.on('error', () => undefined) // a server that has answered need not read on
    asked.end(body === undefined || isPlain ? body : JSON.stringify(body))
    const [response] = await once(asked, 'response')
    const bytes = await bodyOf(response, method)
    const isJson = /json/.test(response.headers['content-type'] ?? '')
    const json = isJson && bytes.length > 0 ? JSON.parse(bytes.toString()) : undefined
    return { status: response.statusCode, headers: response.headers, bytes, json }
  }
}

interface Made extends Partial<Omit<AdminContext, 'guard' | 'metrics' | 'logger'>> {
  /** Where it says that it listens, and how browsers reach it. */
  adminHost?: string
  adminUrl?: string
  /** Closes it: when the test has ended, or all of a file's. */
  atTheEnd?: AtTheEnd
}

export async function openAdmin({ adminHost = '127.0.0.1', adminUrl, ...made }: Made = {}): Promise<Admin> {
  const { atTheEnd = onTestFinished } = made
  const inbox = made.inbox ?? openInbox(undefined, atTheEnd)
  const recorder = new Recorder()
  const hooks = made.hooks ?? new Hooks({ secret: 's', logger: recorder })
  const localReceiver = openLocalReceiver(hooks, { inbox })
  const metrics = new Metrics(inbox)
  const guard = new Guard({ tokens: { token, readOnlyToken }, inbox, host: adminHost, url: adminUrl })
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
