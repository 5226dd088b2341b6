import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { eventually, Scene } from './scene.ts'
import type { Commit } from './watched-commits.ts'

/**
 * A kill leaves the caches of the operating system alone, so no kill shows whether a commit was fsynced. SQLite fsyncs
 * before it returns from a commit if the committing connection has the settings below.
 */
test('the writing threads use a write-ahead log and fsync each commit', async () => {
  const scene = new Scene()
  const report = `${scene.file}.commits`
  process.env.COMMITS = report
  const id = await scene.store('stored')
  const handlers = [{ event: 'push', name: 'ends', behavior: 'ends' }] as const
  const worker = await scene.work(handlers, { options: ['--import', join(import.meta.dirname, 'watched-commits.ts')] })
  delete process.env.COMMITS
  await eventually(async () => expect(await scene.state(id)).toBe('done'))
  const commits = () => {
    const lines = readFileSync(report, 'utf8').trimEnd().split('\n')
    return lines.map((line) => JSON.parse(line) as Commit).filter(({ role }) => role !== undefined)
  }
  await eventually(() => expect(new Set(commits().map(({ role }) => role))).toEqual(new Set(['writer', 'maintenance'])))
  worker.tell('close')
  await worker.ended

  const written = commits()
  expect(Math.max(...written.map(({ changes }) => changes))).toBeGreaterThan(0)
  for (const commit of written) expect(commit).toMatchObject({ synchronous: 2, fullfsync: 1, journalMode: 'wal' })
})
