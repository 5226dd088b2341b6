import { setTimeout } from 'node:timers/promises'
import { estimateParsedSize } from '../../src/inbox/parsed-size.ts'
import { hostileBodies } from '../inbox/hostile-bodies.ts'
import { readEndings } from './inbox-contents.ts'
import { Supervisor } from './supervisor.ts'

/**
 * The names of the hostile bodies that are sent. The process has a small heap. `bodyOf` repeats such a body until the
 * process cannot parse it for lack of memory.
 */
export const poisons = [
  'an index just below the sparse limit',
  'empty objects',
  'lists of an object',
  'six indexes',
] as const
export type Poison = (typeof poisons)[number]

export interface PoisonReport {
  /** How often the process ended without a kill. */
  deaths: number
  /** Problems. Both lists are empty after a successful run. */
  lost: string[]
  wrong: string[]
}

export interface PoisonOptions {
  seed: number
  served: boolean
  poisons?: readonly Poison[]
}

/** How often a body may end the process before its delivery ends dead. */
const maxDeaths = 3

/**
 * A small heap. The option limits the old generation to 64 MiB. V8 adds up to 192 MiB for the young generation, so the
 * heap limit is 256 MiB. The process rejects payloads that would take more than 3/4 of the heap limit. That is also
 * 192 MiB.
 */
const heap = ['--max-old-space-size=64']

/** The estimated memory of the bodies, in bytes: below 192 MiB, and above it. */
const [belowLimit, aboveLimit] = [170 * 2 ** 20, 400 * 2 ** 20]

/** Why a delivery ends dead: its body is below the limit and ends the process, or above the limit and is rejected. */
const reasons = {
  below: `Parsing the payload has ended the process ${maxDeaths} times`,
  above: 'this process has',
}

/** Sends bodies that end the process when it parses them, together with normal deliveries. */
export async function runPoison({ seed, served, poisons: chosen = poisons }: PoisonOptions): Promise<PoisonReport> {
  const supervisor = new Supervisor(seed, { served }, { maxEnds: chosen.length * maxDeaths, options: heap })
  const report: PoisonReport = { deaths: 0, lost: [], wrong: [] }
  const sent = new Map<string, { poison: Poison; reason: string }>()
  try {
    await supervisor.probe()
    for (const poison of chosen) {
      const before = supervisor.ends.length
      sent.set(await supervisor.send(bodyOf(poison, aboveLimit)), { poison, reason: reasons.above })
      await supervisor.probe()
      if (supervisor.ends.length > before)
        report.wrong.push(`${poison}: the process parsed a body that it had to reject`)
      sent.set(await supervisor.send(bodyOf(poison, belowLimit)), { poison, reason: reasons.below })
      await supervisor.probe()
      while (readEndings(supervisor.file, sent.keys()).some(({ state }) => state === 'pending')) {
        supervisor.checkEnds()
        await setTimeout(50)
      }
      const deaths = supervisor.ends.length - before
      if (deaths !== maxDeaths) report.wrong.push(`${poison}: the process ended ${deaths} times`)
    }
    await supervisor.close()
    const { lost, wrong } = supervisor.judge(new Set(sent.keys()))
    report.lost.push(...lost)
    report.wrong.push(...wrong, ...wrongEndings(supervisor, sent))
  } catch (error) {
    report.wrong.push((error as Error).message)
  } finally {
    await supervisor.clear()
  }
  const others = supervisor.ends.filter((end) => !/heap/i.test(end))
  return { ...report, deaths: supervisor.ends.length, wrong: [...report.wrong, ...others] }
}

function* wrongEndings(
  { file }: Supervisor,
  sent: ReadonlyMap<string, { poison: Poison; reason: string }>,
): Generator<string> {
  const endings = new Map(readEndings(file, sent.keys()).map((row) => [row.guid, row]))
  for (const [guid, { poison, reason }] of sent) {
    const { state = 'not stored', reason: given } = endings.get(guid) ?? {}
    if (state !== 'dead' || !given?.includes(reason)) yield `${poison}: ended ${state} (${given}), not dead (${reason})`
  }
}

/** A list that repeats the items of a hostile body until its estimated memory is almost `bytes`. */
function bodyOf(poison: Poison, bytes: number): string {
  const items = (hostileBodies[poison] as string).slice(1, -1)
  const times = Math.floor(bytes / estimateParsedSize(Buffer.from(items), 'json'))
  return `[${Array.from({ length: times }, () => items).join(',')}]`
}
