import { join } from 'node:path'
import { Victim } from '../campaign/victim.ts'
import type { ProgramSettings } from './program.ts'

export type Role = ProgramSettings['role']

const program = join(import.meta.dirname, 'program.ts')

/** Receivers and workers; whoever dies is replaced, as whatever runs them in earnest does it. */
export class Crew {
  readonly receivers: Victim[] = []
  readonly workers: Victim[] = []
  /** How they ended that were not killed. */
  readonly wrong: string[] = []
  readonly #ports = new Map<Victim, number>()
  readonly #settings: Omit<ProgramSettings, 'role'>
  #ends = false

  constructor(settings: Omit<ProgramSettings, 'role'>, size: number) {
    this.#settings = settings
    for (let count = 0; count < size; count++) for (const role of ['receiver', 'worker'] as const) this.#hire(role)
  }

  /** Those that can be asked, and those that have just been killed. */
  ports(): number[] {
    return [...this.#ports.values()]
  }

  async ready(): Promise<void> {
    await Promise.all([...this.receivers, ...this.workers].map(({ ready }) => ready))
  }

  /** Ends all of them as an operator does. */
  async close(): Promise<void> {
    this.#ends = true
    const all = [...this.receivers, ...this.workers]
    for (const one of all) one.tell('close')
    await Promise.all(all.map(({ ended }) => ended))
  }

  /** Ends whoever there is. */
  async clear(): Promise<void> {
    this.#ends = true
    await Promise.all([...this.receivers, ...this.workers].map((one) => one.kill()))
  }

  #hire(role: Role): void {
    const all = role === 'receiver' ? this.receivers : this.workers
    const one = new Victim(program, { ...this.#settings, role } satisfies ProgramSettings)
    all.push(one)
    if (role === 'receiver') one.ready.then((port) => this.#ports.set(one, port)).catch(() => undefined)
    void one.ended.then((end) => {
      this.#ports.delete(one)
      if (this.#ends) return
      all.splice(all.indexOf(one), 1)
      if (end !== undefined) this.wrong.push(end)
      this.#hire(role)
    })
  }
}
