/** A receiver that can be down, a local GitHub that delivers to it, and a recovery. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Octokit } from 'octokit'
import { onTestFinished } from 'vitest'
import { hookserver } from '../../src/adapters/node.ts'
import { toRequester } from '../../src/github/octokit-requester.ts'
import type { RecoverySettings } from '../../src/github/recovery/options.ts'
import { Recovery } from '../../src/github/recovery/recovery.ts'
import type { Requester } from '../../src/github/requester.ts'
import { Hooks } from '../../src/hooks.ts'
import type { Store } from '../../src/inbox/inbox.ts'
import { childLogger } from '../../src/telemetry/logger.ts'
import { type LocalApp, LocalGitHub, type LocalGitHubOptions, type LocalHook } from '../../src/testing/index.ts'
import { eventually, inboxFile, openInbox } from '../inbox/stores.ts'
import { Recorder } from '../recorder.ts'

const secret = 'the secret of the hook'
export const token = 'ghp_the-token-of-the-sweep'
const day = 86_400_000

export class Scene {
  readonly github: LocalGitHub
  readonly file: string
  readonly inbox: Store
  readonly hooks: Hooks
  readonly hook: LocalHook
  readonly recorder: Recorder = new Recorder()
  /** The number of times each delivery was handled, by GUID. */
  readonly handled: Map<string, number> = new Map()
  readonly port: number
  #server: Server

  private constructor(github: LocalGitHub, server: Server, inbox?: Store) {
    this.github = github
    this.file = inboxFile()
    this.inbox = inbox ?? openInbox(this.file)
    this.hooks = new Hooks({ secret, validateIp: false, inbox: this.inbox, logger: false })
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    this.hook = this.addHook()
  }

  /** @param inbox Default: a new one in SQLite. */
  static async open(options: LocalGitHubOptions = {}, inbox?: Store): Promise<Scene> {
    const github = await LocalGitHub.start({ token, limits: { authorized: 100_000, points: 1e9 }, ...options })
    onTestFinished(() => github.close())
    const scene = new Scene(github, await listen(0), inbox)
    scene.hooks.on(
      'push',
      {
        name: 'count',
      },
      ({ guid }) => void scene.handled.set(guid, (scene.handled.get(guid) ?? 0) + 1),
    )
    await scene.startListening()
    onTestFinished(() => scene.stopListening())
    return scene
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hooks`
  }

  /** Adds a webhook that delivers to this receiver. @param owner A repository, an organization or an App. */
  addHook(owner: string | { organization: string } | { app: LocalApp } = 'acme/shop'): LocalHook {
    return this.github.addHook({
      ...(typeof owner === 'string' ? { repository: owner } : owner),
      ...{ url: this.url, secret },
    })
  }

  async stopListening(): Promise<void> {
    this.#server.closeAllConnections()
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve))
  }

  async startListening(): Promise<void> {
    await this.stopListening()
    this.#server = await listen(this.port, hookserver(this.hooks))
  }

  recovery(settings: Partial<RecoverySettings> = {}): Recovery {
    const recovery = new Recovery({
      ...{ inbox: this.inbox, source: '/hooks', logger: childLogger(this.recorder) },
      ...{ targets: [{ repository: 'acme/shop', id: String(this.hook.id) }], publicUrl: this.url, retention: 3 * day },
      ...{ mode: 'redeliver', includeOk: false, every: 300_000, pace: 0 },
      connect: async () => this.requester(),
      isHandled: (event) => event === 'push',
      ...settings,
    })
    onTestFinished(() => recovery.stop())
    return recovery
  }

  /** A client that authenticates with a token, and neither waits nor retries. */
  requester(auth = token): Requester {
    const quiet = { debug() {}, info() {}, warn() {}, error() {} }
    const plugins = { throttle: { enabled: false }, retry: { enabled: false } }
    return toRequester(new Octokit({ auth, baseUrl: this.github.url, log: quiet, ...plugins }))
  }

  /** Waits until every delivery in the inbox has been handled. */
  async allHandled(): Promise<void> {
    await eventually(async () => {
      const { pending, running, retrying } = (await this.inbox.overview()).states
      if (pending + running + retrying > 0) throw new Error('Not yet')
    })
  }

  /** How often GitHub got each request, by method and path. In the path, `n` stands for a long id. */
  get calls(): Record<string, number> {
    const named = this.github.requests.map(
      ({ method, path }) => `${method} ${path.split('?')[0]?.replace(/\d{9,}/, 'n')}`,
    )
    return Object.fromEntries([...Map.groupBy(named, (name) => name)].map(([name, all]) => [name, all.length]))
  }
}

async function listen(port: number, listener?: Parameters<typeof createServer>[1]): Promise<Server> {
  const server = createServer(listener)
  await once(server.listen(port, '127.0.0.1'), 'listening')
  return server
}
