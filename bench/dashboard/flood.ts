import { setTimeout as wait } from 'node:timers/promises'
import type { Page as Deliveries } from 'hookserver'
import type { Browser } from 'playwright-core'
import type { Served } from '../../scripts/served.ts'
import { normalLoad } from '../service/load.ts'
import { table } from '../table.ts'
import { judgement } from './judged.ts'
import { type Delay, type Memory, Visitor } from './visitor.ts'

const load = { rate: 200, seconds: 60 }
/**
 * Maxima: the length of a task in milliseconds, the share of time in tasks over 50 ms, and the growth of the heap in
 * the second half of the load, in bytes.
 */
const [mostTask, mostHeldUp, mostGrowth] = [200, 0.05, 10_000_000]
/** Maximum milliseconds from the last answer until the page is up to date, and between two changes of the top row. */
const mostBehind = 2000

interface Flooded {
  tasks: Delay[]
  gaps: Delay[]
  /** How often the top row changed. */
  changes: number
  /** The longest time for which the top row did not change, in milliseconds. */
  unchanged: number
  /** The memory at the beginning, in the middle and at the end of the load. */
  memory: [Memory, Memory, Memory]
  /** Milliseconds from the last answer until the refreshed page shows the deliveries and states of the API. */
  behind: number
}

/** Prints how the page responds while many deliveries arrive. */
export async function reportFlood(browser: Browser, served: Served): Promise<void> {
  const top = await flood(browser, served, 0)
  const scrolled = await flood(browser, served, 500)
  console.log(`\n${load.rate} deliveries a second for ${load.seconds} s, while the list is open`)
  const both = [top, scrolled]
  const row = (what: string, of: (one: Flooded) => number, digits: number, most?: number) => [
    what,
    ...both.map((one) => of(one).toFixed(digits)),
    most === undefined ? '' : most.toFixed(digits),
    most === undefined ? '' : judgement(Math.max(...both.map(of)), most),
  ]
  const heap = (at: 0 | 1 | 2) => (one: Flooded) => one.memory[at].heap / 1e6
  console.log(
    table(
      ['', 'at its top', 'scrolled', 'budget', ''],
      [
        row('tasks over 50 ms', ({ tasks }) => tasks.length, 0),
        row('longest task, ms', ({ tasks }) => longest(tasks), 0, mostTask),
        row(
          'tasks over 50 ms, % of the time',
          ({ tasks }) => (sum(tasks) / load.seconds / 1000) * 100,
          1,
          mostHeldUp * 100,
        ),
        row('gaps over 100 ms between frames', ({ gaps }) => gaps.length, 0),
        row('longest of these gaps, ms', ({ gaps }) => longest(gaps), 0),
        row('changes of the top row', ({ changes }) => changes, 0),
        [
          'longest time without a change, ms',
          ...[top.unchanged.toFixed(0), 'no change', String(mostBehind), judgement(top.unchanged, mostBehind)],
        ],
        row('heap at the beginning, MB', heap(0), 1),
        row('heap in the middle, MB', heap(1), 1),
        row('heap at the end, MB', heap(2), 1),
        row('growth in the second half, MB', (one) => heap(2)(one) - heap(1)(one), 1, mostGrowth / 1e6),
        row('DOM nodes at the beginning', ({ memory }) => memory[0].nodes, 0),
        row('DOM nodes at the end', ({ memory }) => memory[2].nodes, 0),
        row('until it shows the newest 50, ms', ({ behind }) => behind, 0, mostBehind),
      ],
    ),
  )
}

async function flood(browser: Browser, served: Served, scrolledBy: number): Promise<Flooded> {
  const visitor = await Visitor.come(browser, served)
  try {
    await visitor.open('#/deliveries', 'measured.shown().length > 0')
    await visitor.page.evaluate(`scrollTo({ top: ${scrolledBy} })`)
    const before = await visitor.memory()
    const { now: start } = await visitor.lived()
    const flooding = normalLoad(served.url, load)
    flooding.catch(() => {}) // a failure throws at `await flooding` below
    await wait((load.seconds / 2) * 1000)
    const half = await visitor.memory()
    await flooding
    const end = performance.now()
    const { tasks, gaps, news, now } = await visitor.lived()
    const after = await visitor.memory()
    await untilUpToDate(visitor, served)
    const behind = performance.now() - end
    const since = ({ at }: Delay) => at >= start
    const changes = news.filter((at) => at >= start)
    if (scrolledBy > 0 && changes.length > 0) throw new Error('The rows that a user reads have moved')
    const unchanged = longestBetween([start, ...changes, now])
    return {
      ...{ tasks: tasks.filter(since), gaps: gaps.filter(since), changes: changes.length, unchanged },
      ...{ memory: [before, half, after], behind },
    }
  } finally {
    await visitor.leave()
  }
}

/** Waits until the refreshed list equals that of the API, row by row. @throws {Error} if 200 comparisons differ. */
async function untilUpToDate(visitor: Visitor, served: Served): Promise<void> {
  const banner = visitor.page.locator('.news button')
  if (await banner.isVisible()) await banner.click()
  for (let tries = 0; tries < 200; tries++) {
    const { deliveries } = await served.get<Deliveries>('/deliveries?limit=50')
    if (String(await visitor.shown()) === String(deliveries.map(({ id, state }) => `${id} ${state}`))) return
    await wait(50)
  }
  throw new Error('The page and the API show different deliveries')
}

const longest = (delays: readonly Delay[]): number => Math.max(0, ...delays.map(({ ms }) => ms))
const longestBetween = (times: readonly number[]): number =>
  Math.max(...times.slice(1).map((time, index) => time - (times[index] ?? time)))
const sum = (delays: readonly Delay[]): number => delays.reduce((all, { ms }) => all + ms, 0)
