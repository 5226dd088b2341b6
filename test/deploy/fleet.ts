import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { bundled } from '../bundled.ts'
import type { Journal, Line } from '../campaign/journal.ts'
import type { Random } from '../campaign/random.ts'
import { Victim } from '../campaign/victim.ts'
import type { ProgramSettings } from './program.ts'
import { type Version, versions } from './versions.ts'

/** How a process is replaced by one of a random version. */
export const kinds = {
  overlap: 'the new process starts before the old one closes',
  gap: 'the old process closes before the new one starts',
  kill: 'the old process is killed while a handler runs',
} as const
export type Kind = keyof typeof kinds

interface Member {
  version: Version
  victim: Victim
  port: number
}

/** The number of processes. */
const size = 3
/** Milliseconds within which a process must run a handler. */
const runTimeout = 240_000

/** The processes of a rolling deployment. At any time, each version has a process that has run a handler. */
export class Fleet {
  /** The exits of processes that the campaign did not cause. */
  readonly wrong: string[] = []
  readonly #settings: Omit<ProgramSettings, 'version'>
  readonly #journals: readonly Journal[]
  readonly #random: Random
  readonly #members: Member[] = []
  readonly #started: { pid: number; version: Version; victim: Victim }[] = []

  /** @param journals The files in which the processes record the work of their handlers. */
  constructor(settings: Omit<ProgramSettings, 'version'>, journals: readonly Journal[], random: Random) {
    this.#settings = settings
    this.#journals = journals
    this.#random = random
  }

  /** Starts the first processes. Traffic must begin meanwhile, because a process counts once it has run a handler. */
  async start(): Promise<void> {
    const all = [...versions, this.#random.pick(versions)]
    await Promise.all(all.slice(0, size).map((version) => this.#add(version)))
  }

  ports(): number[] {
    return this.#members.map(({ port }) => port)
  }

  /** The version that a process has run. */
  versionOf(pid: number): Version {
    return this.#started.findLast((one) => one.pid === pid)?.version as Version
  }

  /** Replaces a random process. The last process of its version overlaps with its successor, of the same version. */
  async replace(wanted: Kind): Promise<Kind> {
    const old = this.#random.pick(this.#members)
    const isLast = this.#members.every((one) => one === old || one.version !== old.version)
    const kind = isLast ? 'overlap' : wanted
    const version = isLast ? old.version : this.#random.pick(versions)
    if (kind === 'overlap') await this.#add(version)
    await this.#remove(old, kind === 'kill')
    if (kind !== 'overlap') await this.#add(version)
    return kind
  }

  async close(): Promise<void> {
    await Promise.all([...this.#members].map((one) => this.#remove(one, false)))
  }

  /** Kills the processes that still run. */
  async clear(): Promise<void> {
    await Promise.all(this.#started.map(({ victim }) => victim.kill()))
  }

  async #add(version: Version): Promise<void> {
    const victim = new Victim(program, { ...this.#settings, version } satisfies ProgramSettings)
    this.#started.push({ pid: victim.pid, version, victim })
    const member = { version, victim, port: await victim.ready }
    this.#members.push(member)
    await this.#until('A new process ran no handler', () => this.#latestMarks(victim.pid).length > 0)
  }

  async #until(failure: string, condition: () => boolean): Promise<void> {
    const end = performance.now() + runTimeout
    while (!condition()) {
      if (performance.now() > end) throw new Error(`${failure} within ${runTimeout / 1000} s`)
      await setTimeout(2)
    }
  }

  /** The marks of the latest lines of a process, one for each journal that has a line of it. */
  #latestMarks(pid: number): Line['mark'][] {
    return this.#journals.flatMap((journal) => {
      journal.read()
      return journal.lines.findLast((line) => line.pid === pid)?.mark ?? []
    })
  }

  async #remove(one: Member, kills: boolean): Promise<void> {
    if (kills) {
      await this.#until('A process began no attempt', () => this.#latestMarks(one.victim.pid).includes('+'))
      await one.victim.kill()
    } else one.victim.tell('close')
    this.#members.splice(this.#members.indexOf(one), 1)
    const end = await one.victim.ended
    if (end !== undefined && !isClosed(end)) this.wrong.push(end)
  }
}

const program = await bundled(join(import.meta.dirname, 'program.ts'))

const isClosed = (end: string): boolean => end.startsWith('A process exited (0)')
