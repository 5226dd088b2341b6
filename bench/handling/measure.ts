import { setTimeout as wait } from 'node:timers/promises'
import { createDatabase, type Database } from '../databases.ts'
import { percentile } from '../statistics.ts'
import { definitionOf, type Name } from './contestants.ts'
import { type Activity, ActivityCounter } from './postgres-activity.ts'
import { Worker } from './worker.ts'

/** One round of a queue. Costs are for each delivery. */
export interface Handling {
  /** Deliveries a second, from the start of the worker until all results are recorded. */
  rate: number
  /** Microseconds of CPU of the processes that handle deliveries. */
  cpu: number | undefined
  /** Microseconds of CPU of the database's own processes, if it has any. */
  databaseCpu: number | undefined
  /** The sum of both. */
  totalCpu: number | undefined
  /** Statements that PostgreSQL ran. */
  statements: number | undefined
  /** Round trips to the database. */
  roundTrips: number | undefined
  /** Bytes of PostgreSQL's write-ahead log. */
  logged: number | undefined
  /** Percentiles at a steady rate, in milliseconds: from the commit of a delivery to the start of its handler. */
  pickupP50: number | undefined
  pickupP99: number | undefined
  /** The same, from the moment at which the delivery should be stored. */
  latencyP50: number | undefined
  latencyP99: number | undefined
}

/** The steady rate at which the pickup time is measured. */
export const steady = { rate: 500, seconds: 3 }

/** Milliseconds between two checks whether all handlers have been called, and whether all results are recorded. */
const [handledInterval, recordedInterval] = [10, 2]

/** Measures one round, with an empty database and new processes. */
export async function measureHandling(name: Name, deliveries: number): Promise<Handling> {
  const { store, processes = 1 } = definitionOf(name)
  const database = await createDatabase(store)
  const counter = store === 'PostgreSQL' ? await ActivityCounter.start(database.target) : undefined
  const workers: Worker[] = []
  try {
    while (workers.length < processes) workers.push(await Worker.start(name, database.target))
    return await measure({ name, deliveries, database, counter, workers })
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()))
    await counter?.stop()
    await database.remove()
  }
}

interface Round {
  name: Name
  deliveries: number
  database: Database
  counter: ActivityCounter | undefined
  workers: readonly Worker[]
}

async function measure({ name, deliveries, database, counter, workers }: Round): Promise<Handling> {
  const [first] = workers as [Worker]
  const { store, pickup } = definitionOf(name)
  await first.call('store', deliveries)
  await counter?.analyze()

  const before = await usage()
  const began = performance.now()
  await Promise.all(workers.map((worker) => worker.call('work')))
  while ((await sumOver((worker) => worker.call('handled'))) < deliveries) await wait(handledInterval)
  while ((await first.call('unfinished')) > 0) await wait(recordedInterval)
  const seconds = (performance.now() - began) / 1000
  const after = await usage()

  const times = pickup ? await first.call('pickupTimes', steady) : undefined
  await Promise.all(workers.map((worker) => worker.call('close')))
  const perDelivery = (from: number | undefined, to: number | undefined, factor = 1) =>
    from === undefined || to === undefined ? undefined : ((to - from) * factor) / deliveries
  const cpu = perDelivery(before.cpu, after.cpu, 1e6)
  const databaseCpu = perDelivery(before.databaseCpu, after.databaseCpu, 1e6)
  return {
    rate: deliveries / seconds,
    ...{ cpu, databaseCpu, totalCpu: cpu && cpu + (databaseCpu ?? 0) },
    statements: perDelivery(before.statements, after.statements),
    roundTrips: store === 'SQLite' ? undefined : perDelivery(before.roundTrips, after.roundTrips),
    logged: perDelivery(before.logged, after.logged),
    pickupP50: times && percentile(times.pickup, 0.5),
    pickupP99: times && percentile(times.pickup, 0.99),
    latencyP50: times && percentile(times.latency, 0.5),
    latencyP99: times && percentile(times.latency, 0.99),
  }

  async function usage() {
    const cpus = workers.map((worker) => worker.cpu())
    const activity: Partial<Activity> = (await counter?.read()) ?? {}
    return {
      cpu: cpus.includes(undefined) ? undefined : sum(cpus as number[]),
      databaseCpu: database.cpu(),
      roundTrips: await sumOver((worker) => worker.call('roundTrips')),
      ...activity,
    }
  }

  async function sumOver(read: (worker: Worker) => Promise<number>): Promise<number> {
    return sum(await Promise.all(workers.map(read)))
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
