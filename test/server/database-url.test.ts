import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ConfigError, resolveConfig } from '../../src/server/config.ts'
import { withDatabaseUrl } from '../../src/server/database-url.ts'
import { shownDatabase } from '../../src/server/settings/database.ts'
import { project } from './service.ts'

const resolve = (flags: Record<string, string>) => withDatabaseUrl(resolveConfig({ flags, env: {} }))

function problemsOf(flags: Record<string, string>): readonly string[] {
  try {
    return [`none, but ${resolve(flags).database.value}`]
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

test.each([
  ['hookserver.db', 'hookserver.db'],
  ['postgres://db.example/hooks', 'postgres://db.example/hooks'],
  [
    'postgresql://me:hidden@db.example:6543/hooks?password=hidden&sslmode=require',
    'postgresql://me@db.example:6543/hooks',
  ],
  ['postgres://me%40here:hid%2Fden@[::1]:5432/hooks', 'postgres://me%40here@[::1]:5432/hooks'],
  ['postgres:///hooks?host=/run/postgresql', 'postgres:///hooks'],
  ['postgres://me:hid/den@db.example/hooks', 'postgres://…'],
])('%s is shown without what lets somebody in', (address, shown) => {
  expect(shownDatabase(address)).toBe(shown)
})

describe('an address', () => {
  test.each([
    'postgres://me:1234/hidden@db.example/hooks',
    'postgres://me:1234#hidden@db.example/hooks',
    'postgres://me:1234?hidden@db.example/hooks',
    'postgres://me:hidden#@db.example/hooks',
    'postgres://me:100%hidden@db.example/hooks',
    'postgres://me:hidden@db.example:port/hooks',
    'postgres:hidden',
    'mysql://me:hidden@db.example/hooks',
  ])('that cannot be read as one is refused, and shown to nobody: %s', (database) => {
    const [problem = '', ...others] = problemsOf({ database })
    expect(problem).toMatch(/^--database: expected a file, or an address such as postgres:.* are written as %40/)
    expect(problem).not.toMatch(/hidden|1234|db\.example/)
    expect(others).toEqual([])
  })

  test.each(['postgres://me:p%40ss@db.example/hooks', 'postgresql:///hooks?host=/run/postgresql', 'C:\\hooks.db'])(
    'is left as it is: %s',
    (database) => {
      expect(resolve({ database }).database).toEqual({ value: database, source: '--database' })
    },
  )
})

describe('the file of an address', () => {
  const written = (text: string) => {
    const file = join(project(), 'address')
    writeFileSync(file, text)
    return file
  }

  test('is read as if it had been said', () => {
    const databaseUrlFile = written('postgres://me:p%40ss@db.example/hooks\n')
    const { database } = resolve({ databaseUrlFile })
    expect(database).toEqual({ value: 'postgres://me:p%40ss@db.example/hooks', source: '--database-url-file' })
  })

  test.each([
    ['is empty', ' \n', /must hold the address of a database/],
    ['holds the path of a file', 'hookserver.db\n', /must hold the address of a database/],
    ['holds what cannot be read', 'postgres://me:1234#hidden@db.example/hooks', /: expected a file, or an address/],
  ])('that %s is named, and not what it holds', (_what, text, message) => {
    const [problem] = problemsOf({ databaseUrlFile: written(text) })
    expect(problem).toMatch(/^--database-url-file: \//)
    expect(problem).toMatch(message)
    expect(problem).not.toMatch(/hidden|1234/)
  })

  test('that is not there is named', () => {
    expect(problemsOf({ databaseUrlFile: '/nowhere' })).toEqual([
      expect.stringMatching(/^--database-url-file: \/nowhere cannot be read: ENOENT/),
    ])
  })
})
