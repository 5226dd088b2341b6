import type { Journal } from './journal.ts'

/** The progress of one handler with one delivery. */
export interface Pair {
  guid: string
  handler: string
  /** The latest attempt that began, and the process that runs this attempt. */
  attempt: number
  pid: number
  /** Whether the handler has finished this attempt without a failure. */
  through: boolean
}

/** The progress of all handlers, according to the journal. */
export class Progress {
  readonly #journal: Journal
  readonly #pairs = new Map<string, Pair>()
  #read = 0

  constructor(journal: Journal) {
    this.#journal = journal
  }

  /** The progress of a handler with a delivery. */
  of(guid: string, handler: string): Pair | undefined {
    this.#follow()
    return this.#pairs.get(`${guid} ${handler}`)
  }

  /** Attempts that a process has started and that have not succeeded. Of each task, only the latest attempt counts. */
  openOf(pid: number): Pair[] {
    this.#follow()
    return [...this.#pairs.values()].filter((pair) => pair.pid === pid && !pair.through)
  }

  #follow(): void {
    this.#journal.read()
    for (; this.#read < this.#journal.lines.length; this.#read++) {
      const line = this.#journal.lines[this.#read]
      if (!line) return
      const { mark, guid, handler, attempt, pid } = line
      const key = `${guid} ${handler}`
      const before = this.#pairs.get(key)
      if (mark === '=' && before?.attempt === attempt) before.through = true
      if (mark === '+' && attempt > (before?.attempt ?? 0))
        this.#pairs.set(key, { guid, handler, attempt, pid, through: false })
    }
  }
}
