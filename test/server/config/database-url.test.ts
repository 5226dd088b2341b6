import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { shownDatabase } from '../../../src/server/config/database-settings.ts'
import { ConfigError, type ConfigSources, resolveConfig } from '../../../src/server/config/resolve-config.ts'
import { withDatabaseUrl } from '../../../src/server/config/secret-files.ts'
import { project } from '../service.ts'

const resolve = (sources: ConfigSources) => withDatabaseUrl(resolveConfig(sources))
const resolveFlags = (flags: ConfigSources['flags']) => resolve({ flags, env: {} })

function problemsOf(sources: ConfigSources): readonly string[] {
  try {
    return [`none, but ${resolve(sources).database.value}`]
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
])('%s is shown without its credentials', (address, shown) => {
  expect(shownDatabase(address)).toBe(shown)
})

describe('a URL', () => {
  test.each([
    'postgres://me:1234/hidden@db.example/hooks',
    'postgres://me:1234#hidden@db.example/hooks',
    'postgres://me:1234?hidden@db.example/hooks',
    'postgres://me:hidden#@db.example/hooks',
    'postgres://me:100%hidden@db.example/hooks',
    'postgres://me:hidden@db.example:port/hooks',
    'postgres:hidden',
    'mysql://me:hidden@db.example/hooks',
    'jdbc:postgres://me:hidden@db.example/hooks',
    'POSTGRES://me:hidden@db.example/hooks',
    'url=postgres://me:hidden@db.example/hooks',
    'host=db.example user=me password=hidden',
    'host=db.example dbname=hooks',
  ])('that is malformed or of another kind is rejected and not shown: %s', (database) => {
    const [problem = '', ...others] = problemsOf({ flags: { database }, env: {} })
    expect(problem).toMatch(/^--database: expected a file, or a URL such as postgres:.* are written as %40/)
    expect(problem).not.toMatch(/hidden|1234|db\.example/)
    expect(others).toEqual([])
  })

  test.each(['postgres://me:p%40ss@db.example/hooks', 'postgresql:///hooks?host=/run/postgresql', 'C:\\hooks.db'])(
    'is accepted unchanged: %s',
    (database) => {
      expect(resolveFlags({ database }).database).toEqual({ value: database, source: '--database' })
    },
  )
})

describe('a value of --database', () => {
  const address = 'postgres://me:hidden@db.example/hooks'

  test.each([
    [`"${address}"`, 'quotes'],
    [`'${address}'`, 'quotes'],
    [`"${address}`, 'quotes'],
    ["'hookserver.db'", 'quotes'],
    [` ${address}`, 'white space'],
    [`\t${address}`, 'white space'],
    [`${address}\n`, 'white space'],
    [' hookserver.db', 'white space'],
  ])('is rejected if it is %j, because of the %s, and no part of it is shown', (text, cause) => {
    for (const set of [{ flags: { database: text } }, { env: { DATABASE_URL: text } }]) {
      const problems = problemsOf({ flags: {}, env: {}, ...set })
      expect(problems).toEqual([
        expect.stringMatching(new RegExp(`^\\S.*: expected a value without ${cause} around it$`)),
      ])
      expect(problems[0]).not.toMatch(/hidden|db\.example|hookserver\.db/)
    }
  })
})

describe('the file of --database-url-file', () => {
  const written = (text: string) => {
    const file = join(project(), 'address')
    writeFileSync(file, text, { mode: 0o600 })
    return file
  }

  test('is read like the value of --database', () => {
    const databaseUrlFile = written('postgres://me:p%40ss@db.example/hooks\n')
    const { database } = resolveFlags({ databaseUrlFile })
    expect(database).toEqual({ value: 'postgres://me:p%40ss@db.example/hooks', source: '--database-url-file' })
  })

  test.each([
    ['is empty', ' \n', /must contain the URL of a database/],
    ['holds the path of a file', 'hookserver.db\n', /must contain the URL of a database/],
    ['holds quotes', '"postgres://me:hidden@db.example/hooks"\n', /: expected a value without quotes/],
    ['holds a URL that cannot be parsed', 'postgres://me:1234#hidden@db.example/hooks', /: expected a file, or a URL/],
  ])('that %s is named in the error, without its content', (_what, text, message) => {
    const [problem] = problemsOf({ flags: { databaseUrlFile: written(text) }, env: {} })
    expect(problem).toMatch(/^--database-url-file: \//)
    expect(problem).toMatch(message)
    expect(problem).not.toMatch(/hidden|1234/)
  })

  test('must not be a URL, and the error does not show the URL', () => {
    const flags = { databaseUrlFile: 'postgres://me:hidden@db.example/hooks' }
    expect(problemsOf({ flags, env: {} })).toEqual([
      '--database-url-file: expected the path of a file that contains the URL; pass the URL itself with --database',
    ])
  })

  test('that does not exist is named in the error', () => {
    expect(problemsOf({ flags: { databaseUrlFile: '/nowhere' }, env: {} })).toEqual([
      expect.stringMatching(/^--database-url-file: Cannot read \/nowhere: ENOENT/),
    ])
  })
})
