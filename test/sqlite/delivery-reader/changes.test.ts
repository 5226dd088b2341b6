import { expect, test } from 'vitest'
import type { Changes } from '../../../src/inbox/records.ts'
import { writeTransaction } from '../../../src/sqlite/connection/connection.ts'
import { Engine } from '../engine.ts'

const look = (engine: Engine, after?: string): Changes => engine.read('changes', after)
const rows = (engine: Engine) => engine.writing.get<{ rows: number }>('select count(*) as rows from changes')?.rows

test('does not report a deleted delivery', () => {
  const engine = new Engine()
  const { position } = look(engine)
  const [gone, kept] = [engine.store().id, engine.store().id]
  engine.writing.run('delete from deliveries where id = ?', gone)
  expect(look(engine, position).deliveries.map(({ id }) => id)).toEqual([kept])
})

test('does not report a transaction that was rolled back', () => {
  const engine = new Engine()
  const { position } = look(engine)
  const broken = () => {
    writeTransaction(engine.writing, () => {
      engine.writing.changed.add(7)
      throw new Error('no')
    })
  }
  expect(broken).toThrow('no')
  const { id } = engine.store()
  engine.write('discard', { ids: [id] }, 'no use')
  expect(rows(engine)).toBe(1)
  expect(look(engine, position).deliveries.map((one) => one.id)).toEqual([id])
})

test('logs nothing for a transaction that changes no delivery, or only stores new ones', () => {
  const engine = new Engine()
  engine.store()
  engine.registerWorker('a')
  engine.maintenance.renewLeases(1000)
  engine.write('setValue', 'name', 'text')
  expect(rows(engine)).toBe(0)
})

test('reports a delivery when the lease of its task expires because the worker is dead', () => {
  const engine = new Engine()
  const claimed = engine.begin(engine.write('registerWorker', [{ name: 'a', backoff: 100 }]), 'a')
  const { position } = look(engine)
  for (let heartbeats = 0; heartbeats < 100 && look(engine, position).deliveries.length === 0; heartbeats++)
    engine.maintenance.renewLeases(2000)
  expect(look(engine, position).deliveries).toMatchObject([{ id: claimed.id, state: 'retrying' }])
})

test('reports a gap to a reader whose position is older than the change log', () => {
  const engine = new Engine()
  const insert = engine.writing.db.prepare("insert into changes (deliveries) values ('1')")
  writeTransaction(engine.writing, () => {
    for (let index = 0; index < 20_010; index++) insert.run()
  })
  engine.maintenance.prune(1000)
  expect(rows(engine)).toBe(20_000)
  expect(look(engine, '0-9')).toEqual({ deliveries: [], position: '0-20010', more: false, gap: true })
  expect(look(engine, '0-10').gap).toBe(false)
  const { id } = engine.store()
  expect(look(engine, '0-20010').deliveries).toMatchObject([{ id }])
})
