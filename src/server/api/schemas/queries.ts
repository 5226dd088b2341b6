/** The parameters of queries. */
import * as v from 'valibot'
import { valueColumns } from '../../../inbox/query/values.ts'
import { choice, members } from '../../schema.ts'
import { Filters } from './bodies.ts'
import { aCount, aPrefix } from './values.ts'

const optional = v.optional

/** Deliveries in a page. */
const maxPage = 500

export const ListQuery = members({
  ...Filters.entries,
  before: optional(aCount(1)),
  limit: optional(aCount(1, maxPage)),
})

export const ValuesQuery = members({
  column: choice(valueColumns),
  prefix: optional(aPrefix),
  limit: optional(aCount(1, 100)),
})

export const windowNames = ['1h', '24h', '7d'] as const
export type WindowName = (typeof windowNames)[number]

export const StatsQuery = members({ window: optional(choice(windowNames), '1h') })
