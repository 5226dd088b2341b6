import { join } from 'node:path'
import { bundled } from '../bundled.ts'
import { Victim } from '../campaign/victim.ts'
import { NetworkLink } from './network-link.ts'
import type { ProgramSettings } from './program.ts'

type Role = ProgramSettings['role']

export const program: string = await bundled(join(import.meta.dirname, 'program.ts'))

/** Receivers and workers. Replaces dead ones, as a service manager does. */
export class Processes {
  readonly receivers: Victim[] = []
  readonly workers: Victim[] = []
  /** The exits of processes that no fault killed. */
  readonly wrong: string[] = []
  readonly #ports = new Map<Victim, number>()
  readonly #links = new Map<Victim, NetworkLink>()
  readonly #settings: Omit<ProgramSettings, 'role'>
  #ends = false

  private constructor(settings: Omit<ProgramSettings, 'role'>) {
    this.#settings = settings
  }

  /** @param size The number of receivers, and of workers. */
  static async start(settings: Omit<ProgramSettings, 'role'>, size: number): Promise<Processes> {
    const processes = new Processes(settings)
    for (let count = 0; count < size; count++) {
      for (const role of ['receiver', 'worker'] as const) processes.#start(role, await NetworkLink.to(settings.url))
    }
    return processes
  }

  /** The ports of the receivers that are ready. A killed receiver is included until its process has ended. */
  ports(): number[] {
    return [...this.#ports.values()]
  }

  /** The proxy between a worker or receiver and the database. */
  linkOf(one: Victim): NetworkLink {
    return this.#links.get(one) as NetworkLink
  }

  async ready(): Promise<void> {
    await Promise.all(this.#all().map(({ ready }) => ready))
  }

  /** Closes all processes as an operator does. */
  async close(): Promise<void> {
    this.#ends = true
    const all = this.#all()
    for (const one of all) one.tell('close')
    await Promise.all(all.map(({ ended }) => ended))
  }

  /** Kills all processes. */
  async clear(): Promise<void> {
    this.#ends = true
    await Promise.all(this.#all().map((one) => one.kill()))
    for (const link of this.#links.values()) link.close()
  }

  #all(): Victim[] {
    return [...this.receivers, ...this.workers]
  }

  #start(role: Role, link: NetworkLink): void {
    const all = role === 'receiver' ? this.receivers : this.workers
    const one = new Victim(program, { ...this.#settings, url: link.urlOf(this.#settings.url), role })
    all.push(one)
    this.#links.set(one, link)
    if (role === 'receiver') one.ready.then((port) => this.#ports.set(one, port)).catch(() => undefined)
    void one.ended.then((end) => {
      this.#ports.delete(one)
      if (this.#ends) return
      this.#links.delete(one)
      all.splice(all.indexOf(one), 1)
      if (end !== undefined) this.wrong.push(end)
      this.#start(role, link)
    })
  }
}
