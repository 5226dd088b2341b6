import type { Count } from '../../src/inbox/counts.ts'

const minute = 60_000
const minutesOfADay = 24 * 60

/** What comes, how often of a hundred, and who handles it. */
const mix = [
  ['workflow_run', 31, 'ci-report'],
  ['push', 22, 'deploy'],
  ['issue_comment', 17, 'mentions'],
  ['pull_request', 15, 'labels'],
  ['issues', 9, 'triage'],
  ['star', 6, undefined],
] as const

/** What was counted on a working day: it begins slowly, rests at noon, and is quiet at night. */
export function dayOf(now: number): Count[] {
  const chance = chances()
  const counts: Count[] = []
  const add = (at: number, measure: Count['measure'], name: string, outcome = '', count = 1) =>
    void counts.push({ at, measure, name, outcome, count })
  for (let ago = minutesOfADay - 1; ago > 0; ago--) {
    const at = now - (now % minute) - ago * minute
    const atOnce = Math.floor(busyAt(ago) + chance())
    for (let came = 0; came < atOnce; came++) {
      const [event, , handler] = chosen(chance() * 100)
      add(at, 'received', event, chance() < 0.015 ? 'duplicate' : 'stored')
      add(at, 'secrets', '0')
      add(at, 'answers', String(Math.round(20 + 60 * chance() ** 6 + 5 * chance()) / 10))
      if (handler === undefined) continue
      const fails = chance() < (isUnwell(ago) && handler === 'deploy' ? 0.7 : 0.006)
      add(at, 'attempts', handler, fails ? 'failed' : 'succeeded')
    }
    if (chance() < 0.01) add(at, 'refused', 'forbidden_origin')
  }
  for (const { at, handler } of dead) add(now - at * minute, 'attempts', handler, 'dead')
  return counts
}

/** When the story's handlers failed for the last time, in minutes before now. */
const dead = [
  { at: 204, handler: 'triage' },
  { at: 63, handler: 'deploy' },
]

/** Deliveries a minute, the hours counted back from the end of an afternoon. */
function busyAt(ago: number): number {
  const hour = 17 - ago / 60
  const bump = (at: number, width: number) => Math.exp(-(((hour - at) / width) ** 2))
  return 0.3 + 4.2 * bump(10.5, 1.7) + 5.2 * bump(15.2, 2.1) + 1.1 * bump(-7, 2)
}

/** Whether one of the machines that are deployed to was not well. */
const isUnwell = (ago: number): boolean => ago > 64 && ago < 150

function chosen(percent: number): (typeof mix)[number] {
  let below = 0
  return mix.find(([, share]) => percent < (below += share)) ?? mix[0]
}

/** Numbers between 0 and 1, the same ones each time (a linear congruential generator, after Numerical Recipes). */
function chances(): () => number {
  let state = 20_260_101
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
}
