/** Key values and leases by name. All writes run in the caller's transaction. */
import type { Connection } from '../connection/connection.ts'

export function setValue(connection: Connection, name: string, text: string): void {
  connection.run('insert or replace into key_values (name, text) values (?, ?)', name, text)
}

export function getValue(connection: Connection, name: string): string | undefined {
  return connection.get<{ text: string }>('select text from key_values where name = ?', name)?.text
}

/**
 * Sets the text of a name if its current text is `expected`, or if it has no text and `expected` is `undefined`.
 * @returns whether the text was set.
 */
export function compareAndSet(
  connection: Connection,
  name: string,
  expected: string | undefined,
  text: string,
): boolean {
  return expected === undefined
    ? connection.run('insert or ignore into key_values (name, text) values (?, ?)', name, text) > 0
    : connection.run('update key_values set text = ? where name = ? and text = ?', text, name, expected) > 0
}

/**
 * Acquires or renews a lease, in the caller's transaction. With `ms` 0, releases the lease: it expires in 1970, because
 * the clock may be set back later. A lease that lasts for much longer than `ms` was acquired while the clock was ahead, so
 * another holder acquires it.
 * @returns whether the holder has the lease now.
 */
export function lease(connection: Connection, name: string, holder: string, ms: number, now: number): boolean {
  const [until, latest] = ms === 0 ? [0, Number.MAX_SAFE_INTEGER] : [now + ms, now + 2 * ms]
  return connection.run(takeLease, name, holder, until, now, latest) > 0
}

/** Changes nothing while another holder's lease lasts. */
const takeLease = `
  insert into leases (name, holder, until) values (?, ?, ?)
  on conflict (name) do update set holder = excluded.holder, until = excluded.until
  where holder = excluded.holder or until <= ? or until > ?`
