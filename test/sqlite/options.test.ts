import { describe, expect, test } from 'vitest'
import { resolveSqliteOptions, type SqliteOptions } from '../../src/sqlite/options.ts'

describe('the options of sqlite()', () => {
  test('have the documented defaults', () => {
    const defaults = {
      retention: 2_592_000_000,
      maxSize: Number.MAX_SAFE_INTEGER,
      lockTimeout: 5000,
      heartbeat: 5000,
      vanishAfter: 86_400_000,
      auditRetention: 31_536_000_000,
      auditEntries: 100_000,
    }
    expect(resolveSqliteOptions({})).toEqual(defaults)
    expect(resolveSqliteOptions({ retention: undefined, maxSize: undefined })).toEqual(defaults)
  })

  test('are used as given', () => {
    const given = {
      ...{ retention: 60_000, maxSize: 1024 * 1024, lockTimeout: 100, heartbeat: 200, vanishAfter: 120_000 },
      ...{ auditRetention: 180_000, auditEntries: 6 },
    }
    expect(resolveSqliteOptions(given)).toEqual(given)
    const texts = {
      retention: '1m',
      maxSize: '1 MiB',
      lockTimeout: '100ms',
      heartbeat: '200ms',
      vanishAfter: '2m',
      auditRetention: '3m',
      auditEntries: 6,
    } as const
    expect(resolveSqliteOptions(texts)).toEqual(given)
  })

  const wrong: [keyof SqliteOptions, unknown[]][] = [
    ['retention', [0, -1, 1.5, '30 days', null, Number.POSITIVE_INFINITY]],
    ['maxSize', [0, 1024 * 1024 - 1, '1 GB', null, Number.NaN]],
    ['lockTimeout', [0, '5', null]],
    ['heartbeat', [0, -5, true]],
    ['vanishAfter', [0, '1 d', null]],
    ['auditRetention', [0, '1 d', null]],
    ['auditEntries', [0, 1.5, '10', null]],
  ]
  test.each(wrong)('that are invalid are named with their value: %s', (name, values) => {
    for (const value of values) {
      expect(() => resolveSqliteOptions({ [name]: value })).toThrow(TypeError)
      expect(() => resolveSqliteOptions({ [name]: value })).toThrow(`"${name}"`)
      expect(() => resolveSqliteOptions({ [name]: value })).toThrow(
        `got ${typeof value === 'string' ? JSON.stringify(value) : value}`,
      )
    }
  })

  test('are rejected if they are unknown', () => {
    expect(() => resolveSqliteOptions({ maxsize: 1 } as SqliteOptions)).toThrow(
      'sqlite: unknown option "maxsize". Did you mean "maxSize"?',
    )
    expect(() => resolveSqliteOptions({ constructor: 1 } as never)).toThrow(/unknown option "constructor"$/)
  })
})
