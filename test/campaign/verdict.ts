import { type EventName, ordered, orderKey, type TestHandler } from './handlers.ts'
import type { Journal, Line } from './journal.ts'
import type { Sender } from './sender.ts'

/** `lost` and `wrong` describe violations. The other members are counts. */
export interface Verdict {
  lost: string[]
  wrong: string[]
  stored: number
  /** Tasks that succeeded. */
  handled: number
  /** Attempts that were cut off. */
  expired: number
  /** Attempts that were cut off after their handler had finished, before the outcome was recorded. */
  unrecorded: number
  /**
   * Attempts that began late: a newer attempt of the same task had already begun. This can happen in a process that was
   * suspended.
   */
  late: number
}

export interface DeliveryRow {
  id: number
  guid: string
  state: string
}

export interface AttemptRow {
  guid: string
  handler: string
  number: number
  outcome: string
}

/** The contents of an inbox: the deliveries in the order of their ids, the attempts in the order of their numbers. */
export interface InboxContents {
  deliveries: readonly DeliveryRow[]
  attempts: readonly AttemptRow[]
}

export interface JudgeOptions {
  /**
   * Whether deliveries with the same order key may begin in another order than their ids, if both were sent before
   * either was acknowledged. With PostgreSQL they may, because it assigns an id before the commit.
   */
  reordersConcurrent?: boolean
}

/** Compares an inbox with the acknowledged deliveries and with the journal of its handlers. */
export class Judge {
  readonly #sender: Sender
  readonly #journal: Journal
  readonly #handlers: readonly TestHandler[]
  readonly #reordersConcurrent: boolean
  /** The tasks (GUID and handler) for which `note` has seen a success. A success must never disappear. */
  readonly #seen = new Set<string>()

  constructor(sender: Sender, journal: Journal, testHandlers: readonly TestHandler[], options: JudgeOptions = {}) {
    this.#reordersConcurrent = options.reordersConcurrent ?? false
    this.#sender = sender
    this.#journal = journal
    this.#handlers = testHandlers
  }

  /** Records which tasks have succeeded, so that `judge` can report a success that disappears. */
  note({ attempts }: Pick<InboxContents, 'attempts'>): void {
    for (const one of attempts) if (one.outcome === 'succeeded') this.#seen.add(pairOf(one))
  }

  /** @param contents The contents of an inbox without unfinished deliveries. */
  judge(contents: InboxContents): Verdict {
    const { deliveries } = contents
    const attempts = withoutReleased(contents.attempts)
    this.#journal.read()
    const wrong: string[] = []
    const succeeded = new Map<string, number>() // the first attempt that succeeded; there must be no second
    for (const one of attempts) {
      if (one.outcome === 'succeeded' && !succeeded.has(pairOf(one))) succeeded.set(pairOf(one), one.number)
    }
    for (const pair of this.#seen) if (!succeeded.has(pair)) wrong.push(`The outcome of ${pair} has disappeared`)
    this.note(contents)

    const expired = new Set(attempts.filter(({ outcome }) => outcome === 'cut off').map(attemptOfRow))
    const finished = new Set(this.#journal.lines.filter(({ mark }) => mark === '=').map(attemptOf))
    const unrecorded = [...expired].filter((attempt) => finished.has(attempt)).length
    const late = this.#late()
    for (const line of late) {
      if (!expired.has(attemptOf(line)))
        wrong.push(`${attemptOf(line)} began after a later attempt, but was not cut off`)
    }
    const isInTime = (line: Line) => line.handler === ordered && !late.has(line)
    const lines = this.#journal.lines.filter(isInTime)
    const mayReorder = (guid: string, before: string) => this.#mayReorder(guid, before)
    wrong.push(...this.#runAgain(succeeded), ...findDisorder({ lines, deliveries, keyOf: orderKey, mayReorder }))
    const { lost, handled } = this.#lost(deliveries, succeeded)
    return { lost, wrong, stored: deliveries.length, handled, expired: expired.size, unrecorded, late: late.size }
  }

  /** `lost`: problems with acknowledged or stored deliveries. `handled`: the number of tasks that succeeded. */
  #lost(
    deliveries: readonly DeliveryRow[],
    succeeded: ReadonlyMap<string, number>,
  ): { lost: string[]; handled: number } {
    const rows = Map.groupBy(deliveries, ({ guid }) => guid)
    const done = new Set(this.#journal.lines.filter(({ mark }) => mark === '=').map(pairOf))
    const lost: string[] = []
    let handled = 0
    for (const guid of this.#sender.acked.keys())
      if (!rows.has(guid)) lost.push(`${guid} was acknowledged, but is not stored`)
    for (const [guid, [row, ...more]] of rows) {
      const event = this.#sender.acked.get(guid) ?? this.#sender.open.get(guid)
      if (!event) lost.push(`${guid} is stored, but was not sent`)
      else if (!row || more.length > 0) lost.push(`${guid} is stored ${1 + more.length} times for one delivery`)
      else if (row.state !== 'done') lost.push(`${guid} ended in state ${row.state}`)
      for (const { name } of event ? this.#handlersOf(event) : []) {
        const pair = `${guid} ${name}`
        if (!done.has(pair)) lost.push(`${guid} was never handled by ${name}`)
        else if (!succeeded.has(pair)) lost.push(`${guid} was handled by ${name}, but has no outcome`)
        else handled++
      }
    }
    return { lost, handled }
  }

  #handlersOf(event: EventName): TestHandler[] {
    return this.#handlers.filter(({ events }) => events.includes(event))
  }

  /** The `+` lines of attempts that began late: an attempt of the same task with a higher number had already begun. */
  #late(): Set<Line> {
    const highest = new Map<string, number>()
    const late = new Set<Line>()
    for (const line of this.#journal.lines) {
      if (line.mark !== '+') continue
      const before = highest.get(pairOf(line)) ?? 0
      if (line.attempt < before) late.add(line)
      else highest.set(pairOf(line), line.attempt)
    }
    return late
  }

  /** Handlers that ran again after an attempt had succeeded, or twice in one attempt. */
  *#runAgain(succeeded: ReadonlyMap<string, number>): Generator<string> {
    const started = new Set<string>()
    for (const line of this.#journal.lines) {
      if (line.mark !== '+') continue
      const attempt = attemptOf(line)
      if (started.has(attempt)) yield `${attempt} ran twice`
      started.add(attempt)
      if (line.attempt > (succeeded.get(pairOf(line)) ?? line.attempt)) yield `${attempt} ran after its success`
    }
  }

  #mayReorder(guid: string, before: string): boolean {
    return this.#reordersConcurrent && !this.#sender.ackedBefore(guid, before)
  }
}

export interface OrderedRuns {
  /** The lines of one ordered handler. */
  lines: readonly Line[]
  deliveries: readonly Pick<DeliveryRow, 'id' | 'guid'>[]
  /** The order key of a delivery, if it has one. */
  keyOf(guid: string): string | undefined
  /** Whether a delivery may begin after one with a higher id. */
  mayReorder(guid: string, before: string): boolean
}

/**
 * Finds the deliveries that began after a newer delivery with the same order key, or before the previous delivery with
 * this key had finished.
 */
export function* findDisorder({ lines, deliveries, keyOf, mayReorder }: OrderedRuns): Generator<string> {
  const ids = new Map(deliveries.map(({ guid, id }) => [guid, id]))
  const last = new Map<string, string>()
  const through = new Set<string>()
  for (const { mark, guid } of lines) {
    const key = keyOf(guid)
    if (key === undefined) continue
    if (mark === '=') through.add(guid)
    if (mark === '+') {
      const before = last.get(key) ?? guid
      const isOlder = (ids.get(guid) ?? 0) < (ids.get(before) ?? 0)
      if (isOlder && !mayReorder(guid, before)) yield `${guid} ran after a newer delivery`
      if (before !== guid && !through.has(before)) yield `${guid} ran before ${before} had finished`
      last.set(key, guid)
    }
  }
}

/**
 * A process may be suspended after the last check of its lease and before the handler begins. So each suspension excuses
 * one late attempt.
 */
export function* tooManyLate(late: number, suspensions: number): Generator<string> {
  if (late > suspensions) yield `${late} attempts began after other workers had reclaimed their tasks`
}

/** Leaves out released attempts and renumbers the others, because `delivery.attempt` does not count released ones. */
function withoutReleased(rows: readonly AttemptRow[]): AttemptRow[] {
  const counts = new Map<string, number>()
  return rows.flatMap((row) => {
    if (row.outcome === 'released') return []
    const number = (counts.get(pairOf(row)) ?? 0) + 1
    counts.set(pairOf(row), number)
    return { ...row, number }
  })
}

const pairOf = ({ guid, handler }: { guid: string; handler: string }): string => `${guid} ${handler}`
const attemptOf = (line: Line) => `${pairOf(line)} ${line.attempt}`
const attemptOfRow = (row: AttemptRow) => `${pairOf(row)} ${row.number}`
