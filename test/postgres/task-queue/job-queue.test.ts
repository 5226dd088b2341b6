import { expect, onTestFinished, test } from 'vitest'
import { JobQueue, newJob } from '../../../src/postgres/task-queue/job-queue.ts'
import { databases } from '../databases.ts'
import { createTables } from '../inbox.ts'

const server = databases('fsync=off')

/** A queue whose statements fail with the error `down`, if it is set, `failures` times. `statements` is the number of statements that it has sent. */
async function queue() {
  const database = await createTables(await server.create())
  const state: { down: Error | undefined; failures: number; statements: number } = {
    ...{ down: undefined, failures: Number.POSITIVE_INFINITY, statements: 0 },
  }
  const lookups = new Proxy(database, {
    get(target, name) {
      if (name !== 'executeSql') return Reflect.get(target, name)
      return (text: string, values?: unknown[]) => {
        state.statements++
        return state.down && state.failures-- > 0 ? Promise.reject(state.down) : target.executeSql(text, values)
      }
    },
  })
  const { schema } = (await database.get<{ schema: string }>('select current_schema as schema')) as { schema: string }
  const jobs = new JobQueue(database, schema, { supervises: false, lookups })
  onTestFinished(async () => {
    await jobs.stop()
    await database.close()
  })
  return { database, schema, jobs, state }
}

test('starts pg-boss once, however often it is called', async () => {
  const { jobs, state } = await queue()
  await Promise.all([jobs.start(), jobs.start()])
  const { statements } = state
  expect(statements).toBeGreaterThan(0)
  await jobs.start()
  expect(state.statements).toBe(statements)
})

test('can be started after a start that failed', async () => {
  const { jobs, state } = await queue()
  state.down = new Error('down')
  await expect(jobs.start()).rejects.toThrow('down')
  state.down = undefined
  await jobs.start()
  await jobs.prepare(['a'])
})

test('starts although another process creates its tables, whatever the language of PostgreSQL is', async () => {
  const { jobs, state } = await queue()
  state.down = Object.assign(new Error('not in English'), { code: '42P07' })
  state.failures = 1
  await jobs.start()
  await jobs.prepare(['a'])
})

test('has to be started before it is used', async () => {
  const { jobs } = await queue()
  await expect(jobs.prepare(['a'])).rejects.toThrow('pg-boss has not been started')
})

test('creates a queue again that was deleted, after the first failure', async () => {
  const { database, schema, jobs } = await queue()
  const add = () =>
    database.transaction((transaction) => jobs.add(transaction, [{ job: newJob(), id: 1, handler: 'a' }]))
  await jobs.start()
  await jobs.prepare(['a'])
  await database.run(`delete from ${schema}_jobs.queue where name like 'a/%'`)
  await expect(add()).rejects.toMatchObject({ code: '23503' })
  await add()
  const fetched = await database.transaction((transaction) => jobs.fetch(transaction, 'a', 10, false))
  expect(fetched).toMatchObject([{ id: 1, handler: 'a' }])
})

test('creates the queue of a handler that it was not prepared for', async () => {
  const { database, jobs } = await queue()
  await jobs.start()
  await database.transaction((transaction) => jobs.add(transaction, [{ job: newJob(), id: 1, handler: 'new' }]))
  const fetched = await database.transaction((transaction) => jobs.fetch(transaction, 'new', 10, false))
  expect(fetched).toMatchObject([{ id: 1, handler: 'new' }])
})
