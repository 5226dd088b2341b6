import type { Query } from '../inbox/query.ts'
import { guidKey } from './identity.ts'

/** A condition in SQL, with the values of its parameters. */
export interface Condition {
  sql: string
  values: (string | number | Uint8Array)[]
}

/** The conditions of a query: those that one index answers, in order of receipt, and the rest. */
export function conditionsOf(query: Query): [driver: Condition[], rest: Condition[]] {
  const rest: Condition[] = []
  const equal = (...columns: (keyof Query & string)[]) => {
    for (const column of columns) {
      const value = query[column]
      if (value !== undefined) rest.push({ sql: `${column} = ?`, values: [value as string | number] })
    }
  }
  equal('state', 'repository', 'event') // each has an index: the first of them that is given drives
  const driver = rest.splice(0, 1)
  if (query.guid !== undefined) {
    rest.push(...driver.splice(0), { sql: 'guid = ?', values: [query.guid] })
    driver.push({ sql: 'identity between ? and ?', values: rangeOf(guidKey(query.guid)) })
  }
  equal('action', 'sender', 'source', 'ref', 'sha', 'number')
  if (query.flag) rest.push({ sql: flags[query.flag], values: [] })
  if (query.handler !== undefined) rest.push({ sql: hasHandler, values: [query.handler] })
  if (query.since !== undefined) rest.push({ sql: 'received_at >= ?', values: [query.since] })
  if (query.until !== undefined) rest.push({ sql: 'received_at < ?', values: [query.until] })
  for (const word of query.words ?? []) rest.push({ sql: hasWord, values: [`%${word.replace(/[\\%_]/g, '\\$&')}%`] })
  return [driver, rest]
}

/** All identities that begin so. */
function rangeOf(start: Uint8Array): Uint8Array[] {
  return [start, Buffer.concat([start, Buffer.alloc(8, 0xff)])]
}

const flags: Record<NonNullable<Query['flag']>, string> = {
  conflict: 'variant > 0',
  replayed: 'replayed = 1',
  recovered: 'recovered = 1',
}

const hasHandler = 'exists (select 1 from tasks where delivery_id = deliveries.id and handler = ?)'

/** The columns in one text, with a separator that no word has in it. */
const hasWord = `
  concat_ws(char(10), event, action, repository, sender, title, ref, sha, guid, number) like ? escape '\\'`
