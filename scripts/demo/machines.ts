import { fork } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { samples, signedRequest } from 'hookserver/testing'
import { Served } from '../served.ts'
import { readNotes, report, unfinished } from './machine-report.ts'
import { readAll, untilAllEnded } from './outcome.ts'
import { progress } from './progress.ts'
import { type Stage, secret } from './stage.ts'

/** The number of concurrent requests. */
const concurrency = 8
/** Milliseconds between two reads of the journal. */
const interval = 5

/** The names of the machines. The demo kills the first worker. */
const [receivers, workers] = [
  ['receiver-1', 'receiver-2'],
  ['worker-1', 'worker-2'],
] as const

/**
 * Starts two receivers and two workers on one PostgreSQL, and kills one of the workers while it handles deliveries.
 * @returns The failures of the demo.
 */
export async function showMachines(stage: Stage): Promise<string[]> {
  const database = await startDatabase(stage)
  const running = new Map<string, Served>()
  try {
    const journal = join(stage.folder, 'journal.txt')
    writeFileSync(journal, '')
    const start = async (name: string) => {
      running.set(name, await startMachine(stage, name, { database: database.url, journal }))
    }
    const started = await Promise.allSettled([...receivers, ...workers].map(start))
    for (const one of started) if (one.status === 'rejected') throw one.reason
    return await show(running, journal, stage.signal)
  } finally {
    try {
      const alive = [...running.values()].filter(({ child }) => child.signalCode !== 'SIGKILL')
      await Promise.all(alive.map((machine) => machine.stop()))
    } finally {
      await database.stop()
    }
  }
}

async function show(running: ReadonlyMap<string, Served>, journal: string, signal: AbortSignal): Promise<string[]> {
  const [first, victim] = [running.get(receivers[0]) as Served, running.get(workers[0]) as Served]
  const urls = receivers.map((name) => (running.get(name) as Served).url)
  const deliveries = samples()
  console.log(`receiver-1 listens at ${first.url}; receiver-2, two workers and one PostgreSQL run as well`)
  console.log(`${deliveries.length} signed deliveries go to the receivers in turn`)

  const stored = new Map<string, number>(receivers.map((name) => [name, 0]))
  const failures: string[] = []
  const unsent = deliveries.entries()
  let killed: Promise<number> | undefined
  const send = async () => {
    for (const [index, { event, payload }] of unsent) {
      progress(index + 1, deliveries.length, event)
      if (index === Math.floor(deliveries.length / 2)) killed = killBusy(victim, journal, signal)
      const turn = index % receivers.length
      const answer = await fetch(urls[turn] as string, { ...signedRequest(event, { secret, payload }), signal })
      const text = await answer.text()
      const name = receivers[turn] as string
      if (answer.status === 202) stored.set(name, (stored.get(name) ?? 0) + 1)
      else failures.push(`${event} was answered ${answer.status} ${text}`)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, send))
  const cut = (await killed) ?? 0
  console.log(`${workers[0]} was killed while it handled ${cut} deliveries; ${workers[1]} reclaims their tasks`)
  console.log('when the heartbeats have been missing for 12 seconds')
  await untilAllEnded(first, signal)
  console.log()
  failures.push(...report(stored, workers, readNotes(journal), await readAll(first)))
  return failures
}

/**
 * Kills a worker as soon as it handles a delivery. @returns the number of deliveries that it was handling.
 */
async function killBusy(victim: Served, journal: string, signal: AbortSignal): Promise<number> {
  for (;;) {
    signal.throwIfAborted()
    victim.child.kill('SIGSTOP') // so that no handler ends before the kill
    const claimed = unfinished(readNotes(journal), workers[0]).length
    if (claimed > 0) {
      await victim.kill()
      return claimed
    }
    victim.child.kill('SIGCONT')
    await new Promise((resolve) => setTimeout(resolve, interval))
  }
}

interface Machine {
  database: string
  journal: string
}

/** @param name The name in the journal: the role and a number. */
function startMachine({ folder, github }: Stage, name: string, { database, journal }: Machine): Promise<Served> {
  const own = join(folder, name)
  mkdirSync(own)
  const module = join(import.meta.dirname, 'machine-hooks.ts')
  const role = name.split('-', 1)[0] as string
  return Served.start(own, {
    args: [module, '--api-url', github.url, '--role', role, '--database', database],
    env: { GITHUB_WEBHOOKS_KEY: secret, MACHINE: name, JOURNAL: journal },
  })
}

/** Starts a PostgreSQL that ends with this process and keeps its files in the folder. */
async function startDatabase({ folder }: Stage): Promise<{ url: string; stop(): Promise<void> }> {
  chmodSync(folder, 0o711) // PostgreSQL runs as another user if this process is root, and needs access to the folder
  const child = fork(join(import.meta.dirname, 'postgres.ts'), {
    detached: true, // Ctrl-C must not end PostgreSQL before the machines; `stop` ends it
    env: { ...process.env, TMPDIR: folder },
  })
  const ended = once(child, 'exit')
  const [url] = (await Promise.race([once(child, 'message'), ended])) as [unknown]
  if (typeof url !== 'string') throw new Error('PostgreSQL did not start')
  return {
    url,
    async stop() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}
