/** Key values and leases by name. All writes run in the caller's transaction. */
import type { Sql } from '../connection/connection.ts'
import type { Transaction } from '../connection/database.ts'

export async function setValue(transaction: Transaction, name: string, text: string): Promise<void> {
  await transaction.run(upsertValue, name, text)
}

export async function getValue(sql: Sql, name: string): Promise<string | undefined> {
  return (await sql.get<{ text: string }>('select text from key_values where name = $1', name))?.text
}

/**
 * Sets the text of a name if its current text is `expected`, or if it has no text and `expected` is `undefined`. If
 * another transaction is changing the text, waits until that transaction has ended.
 * @returns whether the text was set.
 */
export async function compareAndSet(
  transaction: Transaction,
  name: string,
  expected: string | undefined,
  text: string,
): Promise<boolean> {
  const changed =
    expected === undefined
      ? await transaction.run(insertValue, name, text)
      : await transaction.run(updateValue, name, expected, text)
  return changed > 0
}

/**
 * Acquires or renews a lease by the clock of the database. With `ms` 0, releases the lease: it has expired whatever the
 * time is, because the clock may be set back later. A lease that lasts for much longer than `ms` was acquired while the
 * clock was ahead, so another holder acquires it.
 * @returns whether the holder has the lease now.
 */
export async function lease(transaction: Transaction, name: string, holder: string, ms: number): Promise<boolean> {
  return (await transaction.run(takeLease, name, holder, ms)) > 0
}

const upsertValue = `
  insert into key_values (name, text) values ($1, $2)
  on conflict (name) do update set text = excluded.text`

const insertValue = 'insert into key_values (name, text) values ($1, $2) on conflict (name) do nothing'

const updateValue = 'update key_values set text = $3 where name = $1 and text = $2'

/** Changes nothing while another holder's lease lasts. */
const takeLease = `
  insert into leases (name, holder, until)
  values ($1, $2, case when $3 = 0 then '-infinity' else clock_timestamp() + $3::float8 * interval '1 millisecond' end)
  on conflict (name) do update set holder = excluded.holder, until = excluded.until
  where leases.holder = excluded.holder or leases.until <= clock_timestamp()
     or ($3 > 0 and leases.until > clock_timestamp() + 2 * $3::float8 * interval '1 millisecond')`
