import { beforeAll, beforeEach, expect, test } from 'vitest'
import type { Changes } from '../../../src/inbox/records.ts'
import type { Database, Transaction } from '../../../src/postgres/connection/database.ts'
import { changes, deleteOldChanges, resetIfMoved } from '../../../src/postgres/delivery-reader/changes.ts'
import { databases } from '../databases.ts'
import { createTables, fill } from '../inbox.ts'

const { create } = databases()
let url: string
let database: Database

beforeAll(async () => {
  url = await create()
})

beforeEach(async () => {
  database = await createTables(url, 6)
  await fill(database, { count: 1000 })
  return () => database.close()
})

const look = (position?: string): Promise<Changes> => changes(database, position)

const idsOf = ({ deliveries }: Changes): number[] => deliveries.map(({ id }) => id)

/** Starts a transaction that has recorded changes of deliveries. @returns a function that commits it. */
async function begin(...ids: number[]): Promise<() => Promise<void>> {
  const [claimed, commit] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const ended = database.transaction(async (session) => {
    await note(session, ids)
    claimed.resolve()
    await commit.promise
  })
  await claimed.promise
  return () => {
    commit.resolve()
    return ended
  }
}

const note = (session: Transaction, ids: readonly number[]) =>
  session.run('insert into changes (deliveries) values ($1::bigint[])', ids)

const change = async (...ids: number[]): Promise<void> => (await begin(...ids))()

test('shows changes in the order in which their transactions commit, not in which they start', async () => {
  const { position } = await look()
  const [first, second] = [await begin(1), await begin(2)]
  expect(idsOf(await look(position))).toEqual([])
  await second()
  const between = await look(position)
  expect(idsOf(between)).toEqual([2])
  await first()
  const after = await look(between.position)
  expect(idsOf(after)).toEqual([1])
  expect(idsOf(await look(position))).toEqual([1, 2])
  expect(await look(after.position)).toEqual({ deliveries: [], position: after.position, more: false, gap: false })
})

test('continues a list of several pages while other transactions commit', async () => {
  const early = await begin(1)
  const { position } = await look()
  for (let id = 10; id < 700; id += 10) await change(...Array.from({ length: 10 }, (_, index) => id + index))
  const page = await look(position)
  expect([page.more, idsOf(page).length]).toEqual([true, 500])
  await change(900)
  await early()
  const rest = await look(page.position)
  expect([rest.more, idsOf(rest)]).toEqual([false, Array.from({ length: 190 }, (_, index) => 510 + index)])
  expect(idsOf(await look(rest.position))).toEqual([1, 900])
})

test('shows no change that was rolled back', async () => {
  const { position } = await look()
  const failed = database.transaction(async (session) => {
    await note(session, [1])
    throw new Error('no')
  })
  await expect(failed).rejects.toThrow('no')
  expect(idsOf(await look(position))).toEqual([])
})

test('formats a position for server-sent events and URLs', async () => {
  const [open, other] = [await begin(1), await begin(2)]
  await change(3)
  const { position } = await look()
  expect(position).toMatch(/~/)
  expect(encodeURIComponent(position)).toBe(position)
  await open()
  await other()
  expect(idsOf(await look(position))).toEqual([1, 2])
})

/** Inserts so many changes that the oldest ones are deleted. */
async function forget(): Promise<void> {
  await database.run(`insert into changes (deliveries) select '{1000}' from generate_series(1, 20000)`)
  await database.transaction(deleteOldChanges)
}

test('reports a gap to a client whose position is older than the log, and continues from there', async () => {
  const { position: old } = await look()
  await change(1)
  const { position: newer } = await look()
  await forget()
  expect((await look(newer)).gap).toBe(false)
  const gap = await look(old)
  expect(gap).toMatchObject({ deliveries: [], more: false, gap: true })
  await change(2)
  expect(await look(gap.position)).toMatchObject({ deliveries: [{ id: 2 }], gap: false })
})

test('reports no gap while a long transaction is open, but one after it, if changes were deleted', async () => {
  const long = await begin(1)
  await change(2)
  const seen = await look()
  await forget()
  expect((await look(seen.position)).gap).toBe(false)
  await long()
  expect((await look(seen.position)).gap).toBe(true)
})

test('reports a gap for a position in the future', async () => {
  const { position } = await look()
  const [store, snapshot = ''] = position.split('.')
  const later = snapshot.replaceAll(/\d+/g, (number) => String(Number(number) + 1000))
  expect((await look(`${store}.${later}`)).gap).toBe(true)
  expect((await look(`${position}.${later}.0`)).gap).toBe(true)
})

test.each(['5_4_', '0_5_', '4_5_9', '1_5_3~2', '4_5_3', '9999999999999999999_9999999999999999999_', '1_2', "';"])(
  'reports a gap for an invalid snapshot: %s',
  async (snapshot) => {
    const { position } = await look()
    expect(await look(`${position.split('.')[0]}.${snapshot}`)).toMatchObject({ gap: true })
    expect(await look(`${position}.${snapshot}.0`)).toMatchObject({ gap: true })
  },
)

test('assigns a new store id after a dump is restored on another server, so that clients read everything', async () => {
  const { position } = await look()
  await database.run("insert into changes (transaction, deliveries) values ('900000001', '{1}')")
  await database.run('insert into acks values (900000000, 1)')
  await database.transaction(resetIfMoved)
  expect(await look(position)).toMatchObject({ gap: true })
  const { position: current } = await look()
  await change(2)
  expect(idsOf(await look(current))).toEqual([2])
  // The first call has deleted the rows of the other server. So the second call deletes nothing, and change 2 stays.
  await database.transaction(resetIfMoved)
  expect(await look(current)).toMatchObject({ gap: false, deliveries: [{ id: 2 }] })
  expect(await database.all('select batch from acks')).toEqual([])
})
