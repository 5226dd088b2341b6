import { once } from 'node:events'
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { Hooks } from '../../src/index.ts'
import { postgres } from '../../src/postgres/index.ts'
import { inject, signedRequest } from '../../src/testing/index.ts'
import { eventually, stateIn } from '../inbox/stores.ts'
import { databases } from './databases.ts'

const server = databases('fsync=off')
const secret = 'a secret of the tests'

test('stores and handles deliveries while the application has used up its pool', async () => {
  const pool = new pg.Pool({ connectionString: await server.create(), max: 1 })
  const taken = await pool.connect()
  onTestFinished(async () => {
    const ended = once(taken, 'end') // the pool does not wait for it
    taken.release(true)
    await Promise.all([ended, pool.end()])
  })
  const inbox = postgres(pool)
  const hooks = new Hooks({ secret, validateIp: false, logger: false, inbox })
  onTestFinished(() => hooks.close({ grace: 0 }))
  const handled: string[] = []
  hooks.hook('push', (_data, guid) => void handled.push(guid))
  const guids = ['one', 'two', 'three']
  const answers = await Promise.all(guids.map((guid) => inject(hooks, signedRequest('push', { secret, guid }))))
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202])
  await eventually(async () => {
    expect(await Promise.all([1, 2, 3].map((id) => stateIn(inbox, id)))).toEqual(['done', 'done', 'done'])
  })
  expect(handled.toSorted()).toEqual(guids.toSorted())
  expect([pool.totalCount, pool.idleCount, pool.waitingCount]).toEqual([1, 0, 0])
})
