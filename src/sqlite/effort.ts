import type { EffortRow } from '../inbox/effort.ts'
import type { DeliverySummary } from '../inbox/records.ts'
import { type DeliveryRow, summariesOf } from '../inbox/rows.ts'
import type { Connection } from './connection.ts'

/** What a list shows of these rows, with the work that they have been. */
export function summed(connection: Connection, rows: readonly DeliveryRow[]): DeliverySummary[] {
  if (rows.length === 0) return []
  const ids = JSON.stringify(rows.map(({ id }) => id))
  return summariesOf(rows, connection.all<EffortRow>(selectEfforts, ids))
}

const selectEfforts = `
  select
    told.value as id,
    (select count(*) from attempts where delivery_id = told.value)
      + (select count(*) from tasks where delivery_id = told.value and state = 'running') as attempts,
    (select sum(duration) from attempts where delivery_id = told.value) as duration
  from json_each(?) as told`
