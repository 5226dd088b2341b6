import { DatabaseSync } from 'node:sqlite'
import { dutiesOf, ordered, orderKey } from './duties.ts'
import type { Journal } from './journal.ts'
import type { Sender } from './sender.ts'

/** What is wrong, as text; and what was counted on the way. */
export interface Verdict {
  lost: string[]
  wrong: string[]
  stored: number
  handled: number
  /** Attempts that were cut off, and those of them whose handler had finished without living to say so. */
  cutOff: number
  unrecorded: number
}

interface DeliveryRow {
  id: number
  guid: string
  state: string
}

interface AttemptRow {
  guid: string
  handler: string
  number: number
  outcome: string
}

/** Holds an inbox in which all is handled to what was acked and to what its handlers wrote. */
export class Judge {
  readonly #path: string
  readonly #sender: Sender
  readonly #journal: Journal
  /** Outcomes that were seen before, and must never be gone. */
  readonly #seen = new Set<string>()

  constructor(path: string, sender: Sender, journal: Journal) {
    this.#path = path
    this.#sender = sender
    this.#journal = journal
  }

  /** How many deliveries have not ended. */
  unfinished(): number {
    return this.#read((db) => {
      const row = db.prepare(
        "select count(*) as count from deliveries where state in ('pending', 'running', 'waiting')",
      )
      return (row.get() as { count: number }).count
    })
  }

  judge(): Verdict {
    const { integrity, deliveries, attempts } = this.#read((db) => ({
      integrity: db.prepare('pragma integrity_check').all() as { integrity_check: string }[],
      deliveries: db.prepare('select id, guid, state from deliveries order by id').all() as unknown as DeliveryRow[],
      attempts: db.prepare(selectAttempts).all() as unknown as AttemptRow[],
    }))
    this.#journal.read()
    const wrong = integrity.flatMap(({ integrity_check: text }) => (text === 'ok' ? [] : [`integrity_check: ${text}`]))
    const succeeded = new Map<string, number>() // with the first of its attempts that did: there should be no second
    for (const one of attempts) {
      if (one.outcome === 'succeeded' && !succeeded.has(pairOf(one))) succeeded.set(pairOf(one), one.number)
    }
    for (const pair of this.#seen) if (!succeeded.has(pair)) wrong.push(`The outcome of ${pair} was there, and is gone`)
    for (const pair of succeeded.keys()) this.#seen.add(pair)

    const cutOff = attempts.filter(({ outcome }) => outcome === 'cut off')
    const finished = new Set(this.#journal.lines.filter(({ mark }) => mark === '=').map(attemptOf))
    const unrecorded = cutOff.filter((one) => finished.has(`${pairOf(one)} ${one.number}`)).length
    wrong.push(...this.#runAgain(succeeded), ...this.#disordered(deliveries))
    const { lost, handled } = this.#lost(deliveries, succeeded)
    return { lost, wrong, stored: deliveries.length, handled, cutOff: cutOff.length, unrecorded }
  }

  /** Deliveries that were acked, or are stored, and did not come to a good end. */
  #lost(
    deliveries: readonly DeliveryRow[],
    succeeded: ReadonlyMap<string, number>,
  ): { lost: string[]; handled: number } {
    const rows = Map.groupBy(deliveries, ({ guid }) => guid)
    const done = new Set(this.#journal.lines.filter(({ mark }) => mark === '=').map(pairOf))
    const lost: string[] = []
    let handled = 0
    for (const guid of this.#sender.acked.keys()) if (!rows.has(guid)) lost.push(`${guid} was acked, and is not stored`)
    for (const [guid, [row, ...more]] of rows) {
      const event = this.#sender.acked.get(guid) ?? this.#sender.open.get(guid)
      if (!event || !row || more.length > 0) lost.push(`${guid} is stored ${1 + more.length} times for one delivery`)
      else if (row.state !== 'done') lost.push(`${guid} ended ${row.state}`)
      for (const { name } of event ? dutiesOf(event) : []) {
        const pair = `${guid} ${name}`
        if (!done.has(pair)) lost.push(`${guid} was never handled by ${name}`)
        else if (!succeeded.has(pair)) lost.push(`${guid} was handled by ${name}, and has no outcome`)
        else handled++
      }
    }
    return { lost, handled }
  }

  /** Handlers that ran although their outcome was committed, or twice in one attempt. */
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

  /** Deliveries of one key that began before an earlier one was through. */
  *#disordered(deliveries: readonly DeliveryRow[]): Generator<string> {
    const ids = new Map(deliveries.map(({ guid, id }) => [guid, id]))
    const last = new Map<string, number>()
    for (const { mark, handler, guid } of this.#journal.lines) {
      if (mark !== '+' || handler !== ordered) continue
      const id = ids.get(guid) ?? 0
      if (id < (last.get(orderKey(guid)) ?? 0)) yield `${guid} came after its turn`
      last.set(orderKey(guid), id)
    }
  }

  /** On a connection of its own each time: a long read would keep the log from beginning anew. */
  #read<T>(work: (db: DatabaseSync) => T): T {
    const db = new DatabaseSync(this.#path, { readOnly: true, timeout: 5000 })
    try {
      return work(db)
    } finally {
      db.close()
    }
  }
}

const pairOf = ({ guid, handler }: { guid: string; handler: string }): string => `${guid} ${handler}`
const attemptOf = (line: { guid: string; handler: string; attempt: number }) => `${pairOf(line)} ${line.attempt}`

const selectAttempts = `
  select guid, handler, attempts.number, outcome
  from attempts join deliveries on deliveries.id = delivery_id
  order by attempts.number`
