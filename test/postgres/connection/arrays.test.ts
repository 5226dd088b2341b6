import { afterAll, beforeAll, expect, test } from 'vitest'
import { bigintArray, booleanArray, bytesArray, textArray } from '../../../src/postgres/connection/arrays.ts'
import { Database } from '../../../src/postgres/connection/database.ts'
import { resolvePostgresOptions } from '../../../src/postgres/options.ts'
import { databases } from '../databases.ts'

const server = databases()
let database: Database

beforeAll(async () => {
  const target = { connectionString: await server.create() }
  database = new Database(target, resolvePostgresOptions({}), { max: 1, name: 'test' })
}, 60_000)

afterAll(() => database.close())

/** The elements as PostgreSQL has received them. */
async function received(type: string, array: Buffer): Promise<unknown[]> {
  const rows = await database.all<{ value: unknown }>(`select value from unnest($1::${type}[]) as value`, array)
  return rows.map(({ value }) => value)
}

test('sends texts', async () => {
  const texts = ['', 'NULL', '{"a,b\\"}', 'naïve 🚀', 'x'.repeat(100_000)]
  expect(await received('text', textArray(texts))).toEqual(texts)
  expect(await received('text', textArray([undefined, 'a\0b\ud800']))).toEqual([null, 'a\ufffdb\ufffd'])
})

test('sends bytes', async () => {
  const bytes = [Buffer.alloc(0), Buffer.from([0, 255, 92]), Buffer.alloc(100_000, 1)]
  expect(await received('bytea', bytesArray(bytes))).toEqual(bytes)
})

test('sends numbers', async () => {
  const limit = Number.MAX_SAFE_INTEGER
  const numbers = [0, 1, -1, 2 ** 31, -(2 ** 31), 2 ** 32, -(2 ** 32) - 1, limit, -limit]
  expect(await received('bigint', bigintArray(numbers))).toEqual(numbers)
  expect(await received('bigint', bigintArray([undefined, 1]))).toEqual([null, 1])
})

test.each([0.5, Number.NaN, 2 ** 53])('rejects %s, which is not a safe integer', (value) => {
  expect(() => bigintArray([1, value])).toThrow(RangeError)
})

test('sends booleans', async () => {
  expect(await received('boolean', booleanArray([true, false]))).toEqual([true, false])
})

test('sends empty arrays', async () => {
  expect(await received('text', textArray([]))).toEqual([])
})
