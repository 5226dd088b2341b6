/** The parts that the answers of the API consist of. Each takes the meaning of a member, which OpenAPI shows. */
import * as v from 'valibot'
import { missedDeliveryStates } from '../../../inbox/missed-deliveries.ts'
import { described } from '../../schema.ts'

// Not destructured: a bundler would keep all of valibot.
export const object = v.object // not strict, because a later version may add members
export const optional = v.optional

export const text = (meaning: string) => described(v.string(), meaning)
export const flag = (meaning: string) => described(v.boolean(), meaning)
export const count = (meaning: string) => described(v.pipe(v.number(), v.integer(), v.minValue(0)), meaning)
export const timestamp = (meaning: string) =>
  described(v.pipe(v.number(), v.integer()), `${meaning}, in milliseconds since 1970`)
export const duration = (meaning: string) => described(v.pipe(v.number(), v.minValue(0)), `${meaning}, in milliseconds`)
export const bytes = (meaning: string) => count(`${meaning}, in bytes`)
export const word = <const Words extends readonly string[]>(words: Words, meaning: string) =>
  described(v.picklist(words), meaning)

export const list = <Item extends v.GenericSchema>(item: Item, meaning: string) => described(v.array(item), meaning)
export const texts = (meaning: string) => list(v.string(), meaning)
export const readonlyTexts = (meaning: string) => described(v.pipe(v.array(v.string()), v.readonly()), meaning)
export const counts = (meaning: string) => list(count(meaning), `${meaning}: one count per time step`)
export const action = optional(text('The action, such as opened'))
export const cursor = text('The parameter cursor of the next page. Absent on the last page')

export const headers = (meaning: string) => described(v.record(v.string(), optional(v.string())), meaning)
export const role = (meaning: string) => word(['all', 'receiver', 'worker'], meaning)
export const outcome = (meaning: string) =>
  word(['running', 'succeeded', 'failed', 'dead', 'discarded', 'released', 'cut off'], meaning)
export const missedDeliveryCounts = (meaning: string) =>
  described(object(v.entriesFromList(missedDeliveryStates, count('Missed deliveries in this state'))), meaning)
export const percentiles = (meaning: string) =>
  described(
    v.nullable(
      object({
        p50: duration('The median'),
        p95: duration('The time that 95 % did not exceed'),
        p99: duration('The time that 99 % did not exceed'),
      }),
    ),
    `${meaning}; null if there is none`,
  )
export type Percentiles = NonNullable<v.InferOutput<ReturnType<typeof percentiles>>>
