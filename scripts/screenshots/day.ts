import { type Count, handlerStep } from '../../src/inbox/counts.ts'
import { LatencyBuffer } from '../../src/inbox/latencies.ts'

const minute = 60_000
const minutesOfADay = 24 * 60

/** Events, the share of each in percent, its handler, and the median duration of an attempt in milliseconds. */
const mix = [
  ['workflow_run', 31, 'ci-report', 120],
  ['push', 22, 'deploy', 38_000],
  ['issue_comment', 17, 'mentions', 6],
  ['pull_request', 15, 'labels', 310],
  ['issues', 9, 'triage', 260],
  ['star', 6, undefined, 0],
] as const

/** The samples of the load of handlers in a step of their statistics. */
const samples = 10

/** Generates the counts of a working day: busy in the morning and in the afternoon, quiet at night. */
export function countsOfDay(now: number): Count[] {
  const random = randomNumbers()
  const counts: Count[] = []
  const latencies = new LatencyBuffer()
  const add = (at: number, measure: Count['measure'], name: string, outcome = '', count = 1) =>
    void counts.push({ at, measure, name, outcome, count })
  for (let ago = minutesOfADay - 1; ago > 0; ago--) {
    const at = now - (now % minute) - ago * minute
    const received = Math.floor(rateAt(ago) + random())
    if (at % handlerStep === 0) {
      counts.push(...latencies.take().map((latency) => ({ at: at - handlerStep, ...latency })))
      add(at, 'loads', '', '', samples)
      const waiting = Math.round(samples * rateAt(ago) * (deploymentsFail(ago) ? 1.4 : 0.5) * random())
      add(at, 'loads', 'deploy', 'waiting', waiting)
      add(at, 'loads', 'deploy', 'age', waiting * 21_000)
    }
    for (let number = 0; number < received; number++) {
      const [event, , handler, median] = chooseEvent(random() * 100)
      add(at, 'received', event, random() < 0.015 ? 'duplicate' : 'stored')
      add(at, 'secrets', '0')
      add(at, 'answers', String(Math.round(20 + 60 * random() ** 6 + 5 * random()) / 10))
      if (handler === undefined) continue
      const fails = random() < (deploymentsFail(ago) && handler === 'deploy' ? 0.7 : 0.006)
      add(at, 'attempts', handler, fails ? 'failed' : 'succeeded')
      const duration = median * 4 ** (random() + random() - 1)
      latencies.add('durations', handler, duration)
      if (!fails) latencies.add('completions', handler, duration + (handler === 'deploy' ? 60_000 * random() : 3))
    }
  }
  for (const { at, handler } of dead) add(now - at * minute, 'attempts', handler, 'dead')
  return counts
}

/** When the dead deliveries of story.ts became dead, in minutes before now. */
const dead = [
  { at: 204, handler: 'triage' },
  { at: 63, handler: 'deploy' },
]

/** Deliveries per minute. @param ago Minutes before the end of the day at 17:00. */
function rateAt(ago: number): number {
  const hour = 17 - ago / 60
  const bump = (at: number, width: number) => Math.exp(-(((hour - at) / width) ** 2))
  return 0.3 + 4.2 * bump(10.5, 1.7) + 5.2 * bump(15.2, 2.1) + 1.1 * bump(-7, 2)
}

/** Whether deployments failed. @param ago Minutes before the end of the day. */
const deploymentsFail = (ago: number): boolean => ago > 64 && ago < 150

function chooseEvent(percent: number): (typeof mix)[number] {
  let below = 0
  return mix.find(([, share]) => percent < (below += share)) ?? mix[0]
}

/** Numbers between 0 and 1, the same in each run (a linear congruential generator from Numerical Recipes). */
function randomNumbers(): () => number {
  let state = 20_260_101
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
}
