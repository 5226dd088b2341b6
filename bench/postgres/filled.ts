import { Hooks } from 'hookserver'
import { postgres } from 'hookserver/postgres'
import { hookserver } from 'hookserver/web'
import { bench, sendTo } from '../delivery.ts'
import { pageTimes, showPages } from '../inbox/pages.ts'
import { inTurns, median, ratioOf } from '../statistics.ts'
import { table } from '../table.ts'
import { newDelivery, storedPerSecond } from './new-delivery.ts'
import { fillSchema } from './schema.ts'

/** The number of pickup times that each round measures. */
const pickups = 100

/** Compares a filled inbox with an empty one on the same server. */
export async function reportFilled(url: string, rows: number, options: { rounds: number; seconds: number }) {
  const bytes = await fillSchema(url, 'filled', rows)
  const { open, pages } = await pageTimes(() => postgres(url, { schema: 'filled' }))
  const size = `${(bytes / 2 ** 30).toFixed(1)} GiB, ${(bytes / rows / 1000).toFixed(1)} kB each`
  console.log(`\n${rows.toLocaleString('en')} deliveries stored, ${size}, opened in ${open.toFixed(0)} ms; pages of 50`)
  console.log(showPages(pages))

  console.log(
    '\nCompared with an empty inbox: storing, 64 deliveries at a time; from the answer to the handler, one delivery at a time',
  )
  const [empty, filled] = [await Subject.open(url, 'empty'), await Subject.open(url, 'filled')]
  const storing = { empty: () => empty.rate(options.seconds), filled: () => filled.rate(options.seconds) }
  await inTurns(1, storing) // to warm up
  const rates = await inTurns(options.rounds, storing)
  await Promise.all([empty.work(), filled.work()])
  const picking = { empty: () => empty.pickup(), filled: () => filled.pickup() }
  await inTurns(1, picking)
  const waits = await inTurns(options.rounds, picking)
  await Promise.all([empty.close(), filled.close()])

  const line = (name: 'empty' | 'filled') => [
    name,
    ...[median(rates[name]).toFixed(0), ratioOf(rates[name], rates.empty).toFixed(2)],
    ...[median(waits[name]).toFixed(1), ratioOf(waits[name], waits.empty).toFixed(2)],
  ]
  console.log(table(['inbox', 'stored/s', '× empty', 'pickup p50 ms', '× empty'], [line('empty'), line('filled')]))
}

class Subject {
  readonly #inbox
  readonly #hooks
  readonly #receive
  #claimed: (() => void) | undefined

  static async open(url: string, schema: string): Promise<Subject> {
    const subject = new Subject(url, schema)
    await subject.#inbox.store(newDelivery())
    return subject
  }

  private constructor(url: string, schema: string) {
    this.#inbox = postgres(url, { schema })
    this.#hooks = new Hooks({ secret: bench.secret, validateIp: false, inbox: this.#inbox, work: false })
    this.#hooks.hook('push', () => this.#claimed?.())
    this.#receive = hookserver(this.#hooks)
  }

  rate(seconds: number): Promise<number> {
    return storedPerSecond(() => this.#inbox.store(newDelivery()), seconds)
  }

  /** Starts to run handlers, and resolves when the stored deliveries have been handled. */
  async work(): Promise<void> {
    this.#hooks.work()
    for (;;) {
      const { pending, running } = (await this.#inbox.overview()).states
      if (pending + running === 0) return
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  /**
   * Sends deliveries, one at a time. Measures the time from the answer to each delivery until its handler starts.
   * @returns the median in milliseconds.
   */
  async pickup(): Promise<number> {
    const waits: number[] = []
    for (let round = 0; round < pickups; round++) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#claimed = resolve
      await sendTo(this.#receive)
      const answered = performance.now()
      await promise
      waits.push(performance.now() - answered)
    }
    return median(waits)
  }

  close(): Promise<void> {
    return this.#hooks.close()
  }
}
