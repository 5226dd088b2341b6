import { mkdtempSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { bundled } from '../bundled.ts'
import { testHandlers } from '../campaign/handlers.ts'
import { Journal } from '../campaign/journal.ts'
import { Random } from '../campaign/random.ts'
import { postPayload, Sender } from '../campaign/sender.ts'
import { Judge } from '../campaign/verdict.ts'
import { Victim } from '../campaign/victim.ts'
import { readContents, unfinished } from './inbox-contents.ts'
import type { ProgramSettings } from './program.ts'

const program = await bundled(join(import.meta.dirname, 'program.ts'))

/** Milliseconds from the call of `close` until all deliveries must be handled. */
const drainTimeout = 240_000

/** Milliseconds from the first request, or from a later exit without a kill, until a normal delivery must be done. */
const maxPause = 120_000

/** One process with an inbox, restarted whenever it exits, and the normal deliveries that are sent to it. */
export class Supervisor {
  readonly random: Random
  readonly sender: Sender
  readonly journal: Journal
  readonly file: string
  /** The exits of the process without a kill. */
  readonly ends: string[] = []
  readonly #folder = mkdtempSync(join(tmpdir(), 'hookserver-kill-'))
  readonly #agent = new Agent({ keepAlive: true })
  readonly #settings: ProgramSettings
  readonly #options: readonly string[]
  readonly #maxEnds: number
  #process: Victim
  #closes = false

  /**
   * @param maxEnds How often the process may exit without a kill. After one more exit, `checkEnds`, `send` and
   * `probe` throw.
   * @param options Command-line options for Node.js.
   */
  constructor(
    seed: number,
    settings: Pick<ProgramSettings, 'served' | 'stuckTimeout'>,
    { maxEnds, options = [] }: { maxEnds: number; options?: readonly string[] },
  ) {
    this.random = new Random(seed)
    this.sender = new Sender(new Random(seed + 1), 4)
    this.journal = new Journal(join(this.#folder, 'journal.txt'))
    this.file = join(this.#folder, 'inbox.db')
    this.#settings = { ...settings, file: this.file, journal: this.journal.path, role: 'all' }
    this.#options = options
    this.#maxEnds = maxEnds
    this.#process = this.#start()
  }

  /** Sends a `fork` delivery repeatedly, until a process acknowledges it. @returns its GUID. */
  async send(payload: object | string): Promise<string> {
    const guid = this.random.guid()
    for (;;) {
      const port = await this.#port()
      const answer = await postPayload(this.#agent, port, guid, 'fork', payload)
      if (answer && answer.status < 300) return guid
      if (answer && answer.status !== 503) throw new Error(`A delivery got the answer ${answer.status} ${answer.text}`)
    }
  }

  /** Sends a normal delivery repeatedly, until a process acknowledges it. @throws if it is not handled in time. */
  async probe(): Promise<void> {
    const guid = this.random.guid()
    let [deaths, since] = [this.ends.length, performance.now()]
    const isHandled = () => {
      this.journal.read()
      return this.journal.lines.some(
        ({ mark, guid: of, handler }) => mark === '=' && of === guid && handler === 'quick',
      )
    }
    while (!isHandled()) {
      this.checkEnds()
      if (!this.sender.acked.has(guid)) await this.sender.send(this.#agent, await this.#port(), guid, 'push')
      if (this.ends.length > deaths) [deaths, since] = [this.ends.length, performance.now()]
      if (performance.now() - since > maxPause)
        throw new Error(`A normal delivery was not handled within ${maxPause} ms`)
      await setTimeout(20)
    }
  }

  /** @throws {Error} if the process has exited too often. */
  checkEnds(): void {
    if (this.ends.length > this.#maxEnds) throw new Error(`The process has exited ${this.ends.length} times`)
  }

  async kill(): Promise<void> {
    await this.#process.kill()
  }

  /** Closes the process when all deliveries are handled. */
  async close(): Promise<void> {
    const end = performance.now() + drainTimeout
    while (this.sender.open.size > 0) await this.sender.resend(await this.#port())
    while (unfinished(this.file) > 0) {
      if (performance.now() > end) throw new Error(`${unfinished(this.file)} deliveries were not handled`)
      await setTimeout(50)
    }
    this.#closes = true
    this.#process.tell('close')
    await this.#process.ended
  }

  /** Checks all deliveries except `others`. @param others GUIDs of the deliveries that the caller checks itself. */
  judge(others: ReadonlySet<string>): { lost: string[]; wrong: string[] } {
    const contents = readContents(this.file)
    const isUsual = ({ guid }: { guid: string }) => !others.has(guid)
    const { lost, wrong } = new Judge(this.sender, this.journal, testHandlers).judge({
      deliveries: contents.deliveries.filter(isUsual),
      attempts: contents.attempts.filter(isUsual),
    })
    return { lost, wrong: [...wrong, ...contents.damage] }
  }

  /** Ends the process and deletes its files. */
  async clear(): Promise<void> {
    this.#closes = true
    this.#agent.destroy()
    await this.#process.kill()
    rmSync(this.#folder, { recursive: true })
  }

  #start(): Victim {
    const started = new Victim(program, this.#settings, this.#options)
    void started.ended.then((end) => {
      if (this.#closes) return
      if (end !== undefined) this.ends.push(end)
      this.#process = this.#start()
    })
    return started
  }

  /** The port of the process. If the process ends before it is ready: the port of the next process. */
  async #port(): Promise<number> {
    for (;;) {
      this.checkEnds()
      const process = this.#process
      const port = await process.ready.catch(() => undefined)
      if (port !== undefined) return port
      await process.ended
      await setTimeout(10)
    }
  }
}
