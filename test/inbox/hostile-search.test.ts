import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { databases } from '../postgres/databases.ts'
import { inboxFile } from './stores.ts'

const { create } = databases()
const program = join(import.meta.dirname, 'hostile-search.ts')

/** The result of a search in a process with a heap of 512 MiB. Rejects if the process is aborted. */
async function search(database: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--max-old-space-size=512', program, database])
  return JSON.parse(stdout)
}

const expected = { found: ['{"i":1}'.length], tooLarge: 2 }

test('a search in SQLite skips payloads that need too much memory', { timeout: 120_000 }, async () => {
  expect(await search(inboxFile())).toEqual(expected)
})

test('a search in PostgreSQL skips payloads that need too much memory', { timeout: 120_000 }, async () => {
  expect(await search(await create())).toEqual(expected)
})
