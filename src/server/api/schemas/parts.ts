/** The parts that the answers of the API consist of. */
import * as v from 'valibot'
import { missedDeliveryStates } from '../../../inbox/missed-deliveries.ts'

export const object = v.object // not strict, because a later version may add members
export const list = v.array
export const optional = v.optional

export const text = v.string()
export const flag = v.boolean()
export const count = v.pipe(v.number(), v.integer(), v.minValue(0))
export const timestamp = v.pipe(v.number(), v.integer(), v.description('Milliseconds since 1970'))
export const duration = v.pipe(v.number(), v.minValue(0), v.description('Milliseconds'))
export const bytes = v.pipe(v.number(), v.integer(), v.minValue(0), v.description('Bytes'))
export const headers = v.record(v.string(), optional(v.string()))
export const counts = v.pipe(list(count), v.description('One count per time step'))
export const role = v.picklist(['all', 'receiver', 'worker'])
export const outcome = v.picklist(['running', 'succeeded', 'failed', 'dead', 'discarded', 'released', 'cut off'])
export const missedDeliveryCounts = object(v.entriesFromList(missedDeliveryStates, count))
export const percentiles = v.nullable(object({ p50: duration, p95: duration, p99: duration }))
export type Percentiles = NonNullable<v.InferOutput<typeof percentiles>>
