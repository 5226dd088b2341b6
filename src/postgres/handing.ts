import type { StoredDelivery } from '../inbox/inbox.ts'
import type { Sql } from './connection.ts'
import type { Jobs } from './jobs.ts'
import { loadByJob } from './reading.ts'

/** Milliseconds after which a delivery is shown again that could not be dispatched: those before it are not matched yet. */
const patience = 50

interface Handed {
  job: string
  /** By `performance.now()`. */
  notBefore: number
}

/**
 * The deliveries that pg-boss has handed to this process, to be matched with handlers. Each goes to one process only,
 * until it is dispatched or given back, or the process has kept it for too long.
 */
export class Handing {
  readonly #sql: Sql
  readonly #jobs: Jobs
  /** By their ids. */
  readonly #handed = new Map<number, Handed>()

  constructor(sql: Sql, jobs: Jobs) {
    this.#sql = sql
    this.#jobs = jobs
  }

  /** In order of receipt; at least one if there is any, and more while `bytes` last. What others were slow to commit may come late. */
  async take(limit: number, bytes: number, after: number): Promise<StoredDelivery[]> {
    const now = performance.now()
    const shown = [...this.#handed].filter(([id, { notBefore }]) => id > after && notBefore <= now)
    const jobs = shown
      .sort(([a], [b]) => a - b)
      .slice(0, limit)
      .map(([, { job }]) => job)
    if (jobs.length < limit) jobs.push(...(await this.#jobs.take(limit - jobs.length)))
    if (jobs.length === 0) return []
    const { ids, deliveries } = await loadByJob(this.#sql, jobs, bytes)
    for (const [job, id] of ids) this.#handed.set(id, { job, notBefore: 0 })
    await this.#drop(jobs.filter((job) => !ids.has(job)))
    return deliveries
  }

  /** These are being dispatched. */
  planned(ids: readonly number[]): void {
    this.#postpone(ids, Number.POSITIVE_INFINITY)
  }

  /** These have been dispatched; what was left out of those that were planned is shown again, but not at once. */
  dispatched(planned: readonly number[], ids: readonly number[]): void {
    for (const id of ids) this.#handed.delete(id)
    this.#postpone(planned, performance.now() + patience)
  }

  /** Others may have them. */
  async giveBack(): Promise<void> {
    const jobs = [...this.#handed.values()].map(({ job }) => job)
    this.#handed.clear()
    await this.#jobs.giveBack(undefined, undefined, jobs)
  }

  #postpone(ids: readonly number[], notBefore: number): void {
    for (const id of ids) {
      const handed = this.#handed.get(id)
      if (handed) handed.notBefore = notBefore
    }
  }

  /** Jobs of what is not to be matched any more are through. */
  async #drop(gone: readonly string[]): Promise<void> {
    const jobs = new Set(gone)
    for (const [id, { job }] of this.#handed) if (jobs.has(job)) this.#handed.delete(id)
    await this.#jobs.remove(undefined, undefined, gone)
  }
}
