import type { Session, Sql } from './connection.ts'

/** Keeps a text under a name, in the transaction of the caller. */
export async function setValue(session: Session, name: string, text: string): Promise<void> {
  await session.run(upsertNote, name, text)
}

export async function getValue(sql: Sql, name: string): Promise<string | undefined> {
  return (await sql.get<{ text: string }>('select text from key_values where name = $1', name))?.text
}

/** Sets the text of a name if it is still the expected one; a concurrent change is waited for, and then compared. */
export async function compareAndSet(
  session: Session,
  name: string,
  expected: string | undefined,
  text: string,
): Promise<boolean> {
  const changed =
    expected === undefined
      ? await session.run(insertNote, name, text)
      : await session.run(updateNote, name, expected, text)
  return changed > 0
}

/** When this inbox was made. */
export async function createdAt(sql: Sql): Promise<number> {
  return (await sql.get<{ at: number }>('select created_at as at from inbox_info'))?.at ?? 0
}

const insertNote = 'insert into key_values (name, text) values ($1, $2) on conflict (name) do nothing'

const updateNote = 'update key_values set text = $3 where name = $1 and text = $2'

const upsertNote = `
  insert into key_values (name, text) values ($1, $2)
  on conflict (name) do update set text = excluded.text`
