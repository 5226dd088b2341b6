import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, expect, vi } from 'vitest'
import type { NewDelivery, Store } from '../../../src/inbox/inbox.ts'
import type { DeliveryDetail } from '../../../src/inbox/records.ts'
import { sqlite } from '../../../src/sqlite/index.ts'
import { bundled } from '../../bundled.ts'
import { Journal } from '../../campaign/journal.ts'
import { Victim } from '../../campaign/victim.ts'
import { isLocked } from '../inbox-contents.ts'
import type { FaultySettings } from './program.ts'

const program = await bundled(join(import.meta.dirname, 'program.ts'))
const endings: (() => unknown)[] = []

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

/** Registers a function that runs after the test. The function that was registered last runs first. */
export function afterwards(end: () => unknown): void {
  endings.push(end)
}

/** A folder that is deleted after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-fault-'))
  afterwards(() => rmSync(folder, { recursive: true }))
  return folder
}

/** Calls `look` until it no longer throws, because other processes do not report their progress. */
export function eventually<T>(look: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(look, { timeout: 25_000, interval: 10 })
}

export function newDelivery(guid: string, event: 'push' | 'ping' = 'push', padding = ''): NewDelivery {
  return {
    ...{ source: '/hooks', hookId: '1', guid, event, headers: {}, form: 'json' },
    body: Buffer.from(JSON.stringify({ guid, padding })),
    ...{
      address: undefined,
      receivedAt: Date.now(),
      secretId: undefined,
      secretIndex: undefined,
      algorithm: undefined,
    },
  }
}

/** An inbox in a new file, and processes that work for it. */
export class Scene {
  readonly file: string = join(temporaryFolder(), 'inbox.db')
  readonly journal: Journal = new Journal(`${this.file}.txt`)
  /** Stores and reads deliveries. It checks the leases of workers too rarely to expire one during a test. */
  get inbox(): Store {
    this.#inbox ??= sqlite(this.file, { heartbeat: 60_000 })
    return this.#inbox
  }

  #inbox: Store | undefined

  constructor() {
    afterwards(() => this.#inbox?.close())
  }

  async store(guid: string, event: 'push' | 'ping' = 'push'): Promise<number> {
    return (await this.inbox.store(newDelivery(guid, event))).id
  }

  /** Starts a worker. @param options Command-line options for Node.js. */
  async work(
    handlers: FaultySettings['handlers'],
    { heartbeat = 100, options = [] }: { heartbeat?: number; options?: string[] } = {},
  ): Promise<Victim> {
    const { file, journal } = this
    const settings: FaultySettings = { file, journal: journal.path, heartbeat, handlers }
    const victim = new Victim(program, settings, options)
    afterwards(() => victim.kill())
    await victim.ready
    return victim
  }

  /** The lines of one handler in the journal. */
  lines(handler: string): string[] {
    this.journal.read()
    return this.journal.lines.filter((line) => line.handler === handler).map(({ mark, attempt }) => `${mark}${attempt}`)
  }

  /** The outcomes of a handler's attempts. */
  async outcomes(id: number, handler: string): Promise<string[]> {
    const { tasks } = (await this.inbox.get(id)) as DeliveryDetail
    return (tasks.find((task) => task.handler === handler)?.attempts ?? []).map(({ outcome }) => outcome)
  }

  async state(id: number): Promise<string | undefined> {
    return (await this.inbox.get(id))?.state
  }

  /** Waits until the newest worker has checked the others often enough to expire the leases of a dead worker. */
  async looks(): Promise<void> {
    const last = () =>
      this.query<{ heartbeats: number }>('select heartbeats from workers order by id desc limit 1')[0]?.heartbeats ?? 0
    const before = last()
    await eventually(() => expect(last()).toBeGreaterThan(before + 10))
  }

  /** Runs a query on the file, without the inbox. */
  query<T>(sql: string): T[] {
    const db = new DatabaseSync(this.file, { readOnly: true, timeout: 5000 })
    try {
      return db.prepare(sql).all() as T[]
    } finally {
      db.close()
    }
  }

  /** Whether a process holds the write lock. */
  isLocked(): boolean {
    return isLocked(this.file, 0)
  }
}
