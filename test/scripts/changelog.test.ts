import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { releaseNotes } from '../../scripts/changelog.ts'
import { migrations as postgres } from '../../src/postgres/migrations.ts'
import { migrations as sqlite } from '../../src/sqlite/migrations.ts'

const changelog = `# Changelog

## 1.2.0, 2030-01-02

- A feature. See [the guide](docs/guide.md#part), [the standard](https://example.com/a) and
  [above](#changelog).

### Details

More.

## 1.1.0

- Another feature.
`
const options = { changelog, version: '1.2.0', tag: 'v1.2.0', address: 'https://github.com/octo/hello' }

test('the notes are the section of the version, with absolute links', () => {
  expect(
    releaseNotes(options),
  ).toBe(`- A feature. See [the guide](https://github.com/octo/hello/blob/v1.2.0/docs/guide.md#part), [the standard](https://example.com/a) and
  [above](#changelog).

### Details

More.`)
  expect(releaseNotes({ ...options, version: '1.1.0', tag: 'v1.1.0' })).toBe('- Another feature.')
})

test('rejects a tag that is not the version', () => {
  expect(() => releaseNotes({ ...options, tag: 'v1.3.0' })).toThrow(
    'package.json has version 1.2.0, so the tag must be v1.2.0, not "v1.3.0".',
  )
})

test('rejects a version that the changelog does not have', () => {
  expect(() => releaseNotes({ ...options, version: '1.2', tag: 'v1.2' })).toThrow('has no section "## 1.2".')
})

test('our changelog names the schema versions of SQLite and PostgreSQL', () => {
  const own = readFileSync(new URL('../../CHANGELOG.md', import.meta.url), 'utf8')
  const [ofSqlite, ofPostgres] = [...own.matchAll(/Schema version (\d+)/g)].map(([, version]) => Number(version))
  expect([ofSqlite, ofPostgres]).toEqual([sqlite.length + 1, postgres.length + 1])
})
