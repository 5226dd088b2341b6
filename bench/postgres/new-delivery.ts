import type { NewDelivery } from 'hookserver/store'
import { push } from '../delivery.ts'

const { headers, body } = push()
const bytes = new TextEncoder().encode(body)
const common = { source: '/hooks', hookId: '1', event: 'push', headers, form: 'json' as const, address: '192.0.2.1' }
const signed = { secretId: undefined, secretIndex: 0, algorithm: 'sha256' }

/** The push of the benchmarks as a receiver stores it, under a new GUID. */
export const newDelivery = (): NewDelivery => ({
  ...{ ...common, ...signed, body: bytes },
  guid: crypto.randomUUID(),
  receivedAt: Date.now(),
})

/** The number of deliveries stored a second. @param underWay The number of concurrent calls of `store`. */
export async function storedPerSecond(store: () => Promise<unknown>, seconds: number, underWay = 64): Promise<number> {
  const start = performance.now()
  const end = start + seconds * 1000
  let stored = 0
  const one = async () => {
    while (performance.now() < end) {
      await store()
      stored++
    }
  }
  await Promise.all(Array.from({ length: underWay }, one))
  return (stored / (performance.now() - start)) * 1000
}
