/** A webhook with deliveries that fail, an inbox with a handler, and polling with waits that the test controls. */
import { onTestFinished } from 'vitest'
import type { PollingOptions } from '../../src/github/polling/importer.ts'
import { Polling } from '../../src/github/polling/polling.ts'
import type { Target } from '../../src/github/target.ts'
import type { Store } from '../../src/inbox/inbox.ts'
import { childLogger } from '../../src/telemetry/logger.ts'
import type { LocalDelivery } from '../../src/testing/github/world/delivery.ts'
import type { LocalGitHubOptions, LocalHook } from '../../src/testing/index.ts'
import { Recorder } from '../recorder.ts'
import { Scene } from './recovery-scene.ts'

/** No server listens here. */
export const nowhere = 'http://127.0.0.1:9/'

const day = 86_400_000

/** One polling process. */
export class Poll {
  readonly recorder: Recorder = new Recorder()
  /** The waits of the process, in milliseconds. */
  readonly waits: number[] = []
  readonly polling: Polling
  #waiting: (() => void)[] = []
  #stopped = false
  #onPause: (() => void) | undefined

  constructor(scene: PollingScene, options: Partial<PollingOptions>) {
    const targets: Target[] = [{ repository: 'acme/shop', id: String(scene.hook.id) }]
    const { inbox } = scene
    this.polling = new Polling({
      ...{ inbox, source: '/hooks', connect: async () => scene.requester() },
      ...{ namespaceOf: () => scene.github.url, logger: childLogger(this.recorder) },
      ...{ targets, every: 10_000, retention: 3 * day, pause: (ms) => this.#pause(ms) },
      ...options,
    })
    onTestFinished(() => this.stop())
  }

  /** Ends the wait of `polling`, and lets `polling` run until its next wait. @returns the next wait in milliseconds. */
  async turn(): Promise<number> {
    const paused = new Promise<void>((resolve) => {
      this.#onPause = resolve
    })
    if (this.waits.length === 0) this.polling.start()
    this.#goOn()
    await paused
    return this.waits.at(-1) ?? Number.NaN
  }

  async stop(): Promise<void> {
    this.#stopped = true
    const stopped = this.polling.stop()
    this.#goOn()
    await stopped
  }

  async #pause(ms: number): Promise<void> {
    if (this.#stopped) return
    this.waits.push(ms)
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve)
      this.#onPause?.()
    })
  }

  #goOn(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

export class PollingScene {
  readonly #scene: Scene
  /** The webhook. Its deliveries fail. */
  readonly hook: LocalHook

  private constructor(scene: Scene) {
    this.#scene = scene
    this.hook = scene.hook
    this.hook.url = nowhere
  }

  /** @param inbox Default: a new one in SQLite. */
  static async open(options: LocalGitHubOptions = {}, inbox?: Store): Promise<PollingScene> {
    const scene = await Scene.open(options, inbox)
    await scene.stopListening()
    scene.hooks.work()
    return new PollingScene(scene)
  }

  get github() {
    return this.#scene.github
  }

  get inbox(): Store {
    return this.#scene.inbox
  }

  get file(): string {
    return this.#scene.file
  }

  get calls() {
    return this.#scene.calls
  }

  get hooks() {
    return this.#scene.hooks
  }

  get handled(): Map<string, number> {
    return this.#scene.handled
  }

  requester(auth?: string) {
    return this.#scene.requester(auth)
  }

  poll(options: Partial<PollingOptions> = {}): Poll {
    return new Poll(this, options)
  }

  /** Makes GitHub deliver a push. @returns its GUID. */
  async push(more: object = {}): Promise<string> {
    const payload = { ref: 'refs/heads/main', repository: { id: 1, full_name: 'acme/shop', private: false }, ...more }
    const [delivery] = (await this.github.deliver('push', payload)) as [LocalDelivery]
    return delivery.guid
  }

  allHandled(): Promise<void> {
    return this.#scene.allHandled()
  }
}
