import { beforeAll, beforeEach, expect, test } from 'vitest'
import type { Database } from '../../../src/postgres/connection/database.ts'
import { countStates, foldStateCounts } from '../../../src/postgres/delivery-reader/states.ts'
import { databases } from '../databases.ts'
import { createTables, fill } from '../inbox.ts'

const { create } = databases()
let url: string
let database: Database

beforeAll(async () => {
  url = await create()
})

beforeEach(async () => {
  database = await createTables(url)
  return () => database.close()
})

test('counts deliveries by state while several transactions add, change and delete them', async () => {
  await fill(database, { count: 100, state: `(array['done', 'dead', 'retrying'])[1 + i % 3]` })
  const counted = () => database.all('select state, count(*) as count from deliveries group by state order by state')
  const told = async () => {
    const states = Object.entries(await countStates(database)).filter(([, count]) => count > 0)
    return states.map(([state, count]) => ({ state, count })).sort((a, b) => (a.state < b.state ? -1 : 1))
  }
  expect(await told()).toEqual(await counted())
  const changes = ['id < 20', 'id > 80', 'id between 30 and 40', 'id % 7 = 0'].map((which, index) =>
    database.run(`update deliveries set state = $1 where ${which}`, ['pending', 'running', 'done', 'ignored'][index]),
  )
  await Promise.all([...changes, foldStateCounts(database), foldStateCounts(database), foldStateCounts(database)])
  await database.run('delete from deliveries where id % 5 = 0')
  expect(await told()).toEqual(await counted())
  await foldStateCounts(database)
  expect(await told()).toEqual(await counted())
  expect((await database.get<{ rows: number }>('select count(*) as rows from state_counts'))?.rows).toBeLessThan(8)
})

test('does not count a change that is rolled back', async () => {
  await fill(database, { count: 3 })
  const failed = database.transaction(async (session) => {
    await session.run(`update deliveries set state = 'dead'`)
    throw new Error('no')
  })
  await expect(failed).rejects.toThrow('no')
  expect(await countStates(database)).toMatchObject({ done: 3, dead: 0 })
})
