import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { failure } from '../../src/runtime/thread-server.ts'

test('a failure travels with its message and its codes', () => {
  const db = new DatabaseSync(':memory:')
  let thrown: unknown
  try {
    db.exec('select * from missing')
  } catch (error) {
    thrown = error
  }
  db.close()
  expect(failure(thrown)).toEqual({
    error: { message: expect.stringContaining('no such table'), code: 'ERR_SQLITE_ERROR', errcode: 1 },
  })
  expect(failure(new TypeError('plain'))).toEqual({ error: { message: 'plain' } })
})
