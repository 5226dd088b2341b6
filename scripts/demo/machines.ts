import { fork } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { samples, signedRequest } from 'hookserver/testing'
import { Served } from '../served.ts'
import { readNotes, report, underWay } from './machine-report.ts'
import { allEnded, readAll } from './outcome.ts'
import { progress } from './progress.ts'
import { type Stage, secret } from './stage.ts'

/** How many deliveries are on their way at a time, and milliseconds between two looks. */
const [together, interval] = [8, 5]

/** The first of the workers is killed. */
const [receivers, workers] = [
  ['receiver-1', 'receiver-2'],
  ['worker-1', 'worker-2'],
] as const

/**
 * Four machines at one PostgreSQL: two receive, two work, and one of these is killed in the middle of its work.
 * @returns Whatever did not go as it should.
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
  console.log(`Two receivers, one of which listens at ${first.url}; two workers; one PostgreSQL`)
  console.log(`${deliveries.length} deliveries are on their way, each signed, to either receiver`)

  const stored = new Map<string, number>(receivers.map((name) => [name, 0]))
  const failures: string[] = []
  const waiting = deliveries.entries()
  let killed: Promise<number> | undefined
  const send = async () => {
    for (const [index, { event, payload }] of waiting) {
      progress(index + 1, deliveries.length, event)
      if (index === Math.floor(deliveries.length / 2)) killed = killBusy(victim, journal, signal)
      const which = index % receivers.length
      const answer = await fetch(urls[which] as string, { ...signedRequest(event, { secret, payload }), signal })
      const text = await answer.text()
      const name = receivers[which] as string
      if (answer.status === 202) stored.set(name, (stored.get(name) ?? 0) + 1)
      else failures.push(`${event} was answered ${answer.status} ${text}`)
    }
  }
  await Promise.all(Array.from({ length: together }, send))
  const cut = (await killed) ?? 0
  console.log(
    `In the middle ${workers[0]} was killed, with ${cut} deliveries in its hands; the other goes on without it,`,
  )
  console.log('and takes over what it left once its heartbeats have been missing for 12 seconds')
  await allEnded(first, signal)
  console.log()
  failures.push(...report(stored, workers, readNotes(journal), await readAll(first)))
  return failures
}

/** Waits until a worker is in the middle of something, and kills it there. @returns how many deliveries it had claimed. */
async function killBusy(victim: Served, journal: string, signal: AbortSignal): Promise<number> {
  for (;;) {
    signal.throwIfAborted()
    victim.child.kill('SIGSTOP') // so that nothing ends between the look and the kill
    const claimed = underWay(readNotes(journal), workers[0]).length
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

/** @param name What it calls itself in the journal. */
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

/** A PostgreSQL that ends with this process, and holds nothing that is not in the folder. */
async function startDatabase({ folder }: Stage): Promise<{ url: string; stop(): Promise<void> }> {
  chmodSync(folder, 0o711) // PostgreSQL never runs as root, and has to come through where we do
  const child = fork(join(import.meta.dirname, 'postgres.ts'), {
    detached: true, // Ctrl-C is for us, who tell it when nobody needs it any more
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
