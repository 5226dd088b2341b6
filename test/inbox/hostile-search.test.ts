import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { startPostgres } from '../postgres/server.ts'
import { inboxFile } from './stores.ts'

const program = join(import.meta.dirname, 'hostile-search.ts')

/** What a process with a heap of 512 MiB finds. Rejects if the process is aborted. */
async function search(database: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--max-old-space-size=512', program, database])
  return JSON.parse(stdout)
}

const expected = { found: ['{"i":1}'.length], tooLarge: 2 }

test('a search skips payloads that would not fit into memory, in SQLite', { timeout: 120_000 }, async () => {
  expect(await search(inboxFile())).toEqual(expected)
})

test('a search skips payloads that would not fit into memory, in PostgreSQL', { timeout: 120_000 }, async () => {
  const server = await startPostgres('fsync=off')
  onTestFinished(() => server.stop())
  expect(await search(server.url)).toEqual(expected)
})
