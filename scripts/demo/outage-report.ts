import type { DeliveryDetail } from 'hookserver'
import type { LocalDelivery } from 'hookserver/testing'

/** What happened to a delivery that GitHub sent. */
export interface Result {
  event: string
  /** `recovered`: as a redelivery that hookserver requested from GitHub. */
  received: 'directly' | 'recovered' | 'never'
  handled: boolean
  /** How many attempts of the handler named `count` succeeded or were interrupted. */
  runs: number
  /** Whether the kill of the server interrupted a handler of the delivery. */
  interrupted: boolean
}

/**
 * @param sent GitHub's log.
 * @param details The deliveries in the inbox.
 */
export function toResults(sent: readonly LocalDelivery[], details: readonly DeliveryDetail[]): Result[] {
  const stored = new Map(details.map((detail) => [detail.guid, detail]))
  return [...Map.groupBy(sent, ({ guid }) => guid)].map(([guid, times]) => {
    const redelivered = times.some(({ redelivery, status }) => redelivery && status === 'OK')
    const tasks = stored.get(guid)?.tasks ?? []
    const counting = tasks.find(({ handler }) => handler === 'count')?.attempts ?? []
    return {
      event: times[0]?.event ?? '',
      received: stored.has(guid) ? (redelivered ? 'recovered' : 'directly') : 'never',
      handled: counting.some(({ outcome }) => outcome === 'succeeded'),
      runs: counting.filter(({ outcome }) => outcome === 'succeeded' || outcome === 'cut off').length,
      interrupted: tasks.some(({ attempts }) => attempts.some(({ outcome }) => outcome === 'cut off')),
    }
  })
}

/** Prints for each event how many deliveries were sent, received directly, recovered and handled. */
export function printResults(results: readonly Result[]): void {
  const row = (name: string, ...columns: (string | number)[]) =>
    console.log(`${name.padEnd(31)}${columns.map((column) => String(column).padStart(11)).join('')}`)
  const sum = (name: string, some: readonly Result[]) => {
    const [directly, recovered] = (['directly', 'recovered'] as const).map((way) => countReceived(some, way))
    row(name, some.length, directly ?? 0, recovered ?? 0, some.filter(({ handled }) => handled).length)
  }
  console.log()
  row('event', 'sent', 'directly', 'recovered', 'handled')
  for (const [event, some] of [...Map.groupBy(results, ({ event }) => event)].sort()) sum(event, some)
  sum('all', results)
}

/** Prints the totals. @returns The failures of the demo. */
export function reportTotals(results: readonly Result[]): string[] {
  const failures = results.flatMap(({ event, received, handled, runs, interrupted }) => {
    if (!handled) return [`${event} was not handled; received: ${received}`]
    return runs > 1 && !interrupted ? [`${event} was handled ${runs} times`] : []
  })
  const twice = results.filter(({ runs }) => runs > 1).length
  const interrupted = results.filter((result) => result.interrupted).length
  const handled = results.filter((result) => result.handled).length
  console.log(
    `${results.length} deliveries sent, ${handled} handled: ${countReceived(results, 'directly')} received directly, ` +
      `${countReceived(results, 'recovered')} recovered; ${twice} handled twice, ${interrupted} interrupted by the kill; ` +
      `${failures.length} failures`,
  )
  return failures
}

const countReceived = (results: readonly Result[], way: Result['received']): number =>
  results.filter(({ received }) => received === way).length
