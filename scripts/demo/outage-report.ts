import type { DeliveryDetail } from 'hookserver'
import type { LocalDelivery } from 'hookserver/testing'

/** What became of a delivery that GitHub sent. */
export interface Fate {
  event: string
  /** `recovered`: only when GitHub was asked to send it again. */
  came: 'directly' | 'recovered' | 'never'
  handled: boolean
  /** How often the handler that counts was claimed, and did not fail. */
  runs: number
  /** Whether a handler ran when the server was killed. */
  cutOff: boolean
}

/**
 * @param sent GitHub's log.
 * @param details What is in the inbox.
 */
export function readFates(sent: readonly LocalDelivery[], details: readonly DeliveryDetail[]): Fate[] {
  const kept = new Map(details.map((detail) => [detail.guid, detail]))
  return [...Map.groupBy(sent, ({ guid }) => guid)].map(([guid, times]) => {
    const again = times.some(({ redelivery, status }) => redelivery && status === 'OK')
    const tasks = kept.get(guid)?.tasks ?? []
    const counting = tasks.find(({ handler }) => handler === 'count')?.attempts ?? []
    return {
      event: times[0]?.event ?? '',
      came: kept.has(guid) ? (again ? 'recovered' : 'directly') : 'never',
      handled: counting.some(({ outcome }) => outcome === 'succeeded'),
      runs: counting.filter(({ outcome }) => outcome === 'succeeded' || outcome === 'cut off').length,
      cutOff: tasks.some(({ attempts }) => attempts.some(({ outcome }) => outcome === 'cut off')),
    }
  })
}

/** How many deliveries of each event came how, and were handled. */
export function printFates(fates: readonly Fate[]): void {
  const row = (name: string, ...columns: (string | number)[]) =>
    console.log(`${name.padEnd(31)}${columns.map((column) => String(column).padStart(11)).join('')}`)
  const sum = (name: string, some: readonly Fate[]) => {
    const [directly, recovered] = (['directly', 'recovered'] as const).map((way) => came(some, way))
    row(name, some.length, directly ?? 0, recovered ?? 0, some.filter(({ handled }) => handled).length)
  }
  console.log()
  row('event', 'sent', 'directly', 'recovered', 'handled')
  for (const [event, some] of [...Map.groupBy(fates, ({ event }) => event)].sort()) sum(event, some)
  sum('all', fates)
}

/** Says how it went, and what did not go as it should. */
export function failuresOf(fates: readonly Fate[]): string[] {
  const failures = fates.flatMap(({ event, came, handled, runs, cutOff }) => {
    if (!handled) return [`${event} was not handled; it came ${came}`]
    return runs > 1 && !cutOff ? [`${event} was handled ${runs} times`] : []
  })
  const twice = fates.filter(({ runs }) => runs > 1).length
  const cut = fates.filter(({ cutOff }) => cutOff).length
  const handled = fates.filter((fate) => fate.handled).length
  console.log(
    `${fates.length} deliveries sent, ${handled} handled: ${came(fates, 'directly')} came directly, ` +
      `${came(fates, 'recovered')} were recovered; ${twice} handled twice, ${cut} ran when it was killed; ` +
      `${failures.length} failures`,
  )
  return failures
}

const came = (fates: readonly Fate[], way: Fate['came']): number => fates.filter((fate) => fate.came === way).length
