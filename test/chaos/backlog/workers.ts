import { Victim } from '../../campaign/victim.ts'
import { program } from '../processes.ts'
import type { ProgramSettings } from '../program.ts'

type Settings = Omit<ProgramSettings, 'role'>

/** Worker processes whose number changes. */
export class Workers {
  readonly running: Victim[] = []
  /** Output or exit codes of workers that were not killed and did not exit cleanly. */
  readonly wrong: string[] = []
  readonly #settings: Settings
  /** The GUIDs of deliveries that kill their workers. */
  readonly #fatal: string[] = []

  constructor(settings: Settings) {
    this.#settings = settings
  }

  /** Starts a worker. @returns when it is ready. */
  async join(): Promise<Victim> {
    const worker = new Victim(program, {
      ...this.#settings,
      role: 'worker',
      killSelfIn: this.#fatal,
    } satisfies ProgramSettings)
    this.running.push(worker)
    await worker.ready
    return worker
  }

  /** From now on, a delivery kills the worker that runs it, in its first attempts. */
  makeFatal(guid: string): void {
    this.#fatal.push(guid)
    for (const worker of this.running) worker.tell({ killSelfIn: guid })
  }

  /** Closes a worker as an operator does. @returns when it has ended. */
  async close(worker: Victim): Promise<void> {
    this.#remove(worker)
    worker.tell('close')
    this.#check(await worker.ended, worker)
  }

  async kill(worker: Victim): Promise<void> {
    this.#remove(worker)
    await worker.kill()
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.running].map((worker) => this.close(worker)))
  }

  /** Kills all workers. */
  async clear(): Promise<void> {
    await Promise.all([...this.running].map((worker) => this.kill(worker)))
  }

  #remove(worker: Victim): void {
    const index = this.running.indexOf(worker)
    if (index >= 0) this.running.splice(index, 1)
  }

  #check(end: string | undefined, { complaints }: Victim): void {
    if (end !== 'A process exited (0): ' || complaints !== '') this.wrong.push(end ?? complaints)
  }
}
