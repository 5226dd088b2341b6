import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { NodeSqlite } from '../../../src/sqlite/connection/node-sqlite.ts'
import { connect } from '../../../src/sqlite/connection/open.ts'
import { type EncodedDelivery, encodeDelivery } from '../../../src/sqlite/delivery-store/store.ts'
import { sqlite } from '../../../src/sqlite/index.ts'
import { migrate } from '../../../src/sqlite/migrations.ts'
import { Writer } from '../../../src/sqlite/writer.ts'
import { afterwards, eventually, newDelivery, Scene, temporaryFolder } from './scene.ts'

const newFile = () => join(temporaryFolder(), 'inbox.db')

async function emptyInbox(file: string): Promise<void> {
  await sqlite(file).close()
}

describe('sqlite() names the problem with', () => {
  test('a damaged file', async () => {
    const file = newFile()
    await emptyInbox(file)
    truncateSync(file, 20_000)
    expect(() => sqlite(file)).toThrow(
      `Cannot open the inbox ${file}: it is damaged: move it away and restore a backup`,
    )
  })

  test('a file that is not a database', () => {
    const file = newFile()
    writeFileSync(file, 'Not at all. '.repeat(1000))
    expect(() => sqlite(file)).toThrow(
      /Cannot open the inbox .*: it is not an SQLite database, or it is damaged: move it/,
    )
  })

  test('a folder', () => {
    const folder = temporaryFolder()
    expect(() => sqlite(folder)).toThrow(`Cannot open the inbox ${folder}: it is a folder: name a file`)
  })

  test('a database of another program', () => {
    const file = newFile()
    const db = new DatabaseSync(file)
    db.exec('create table theirs (id integer primary key)')
    db.close()
    expect(() => sqlite(file)).toThrow(/it is the database of another program: choose another file$/)
  })

  test('a database of a newer hookserver', async () => {
    const file = newFile()
    await emptyInbox(file)
    const db = new DatabaseSync(file)
    db.exec('pragma user_version = 999')
    db.close()
    expect(() => sqlite(file)).toThrow(/written by a newer hookserver \(schema 999; this one knows \d+\): upgrade/)
  })

  test.skipIf(process.platform === 'win32').each([
    ['a folder without write permission', 0o555, 'new.db'],
    ['a file without write permission', 0o777, 'old.db'],
  ])('%s', async (_what, mode, name) => {
    const folder = join(temporaryFolder(), 'folder')
    mkdirSync(folder)
    await emptyInbox(join(folder, 'old.db'))
    chmodSync(join(folder, 'old.db'), 0o444)
    chmodSync(folder, mode)
    chmodSync(join(folder, '..'), 0o755)
    const error = openUnprivileged(join(folder, name))
    expect(error).toContain('it cannot be written: check the permissions of the file and its folder')
  })
})

/** The error of opening an inbox as a user with limited permissions. */
function openUnprivileged(file: string): string {
  const module = JSON.stringify(new URL('../../../src/sqlite/index.ts', import.meta.url))
  const drop = process.getuid?.() === 0 ? 'process.setuid(65534)' : ''
  const program = `
    const { sqlite } = await import(${module})
    ${drop}
    sqlite(${JSON.stringify(file)})`
  return spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }).stderr
}

test('a read-only database rejects deliveries, and stores them once it is writable', async () => {
  const file = newFile()
  await emptyInbox(file)
  const connection = new NodeSqlite(connect(file, { lockTimeout: 1000 }))
  afterwards(() => connection.db.close())
  const writer = new Writer(connection, { maxSize: Number.MAX_SAFE_INTEGER, heartbeat: 5000 })
  const store = (guid: string) => ({
    method: 'store' as const,
    args: [encodeDelivery(newDelivery(guid)) as EncodedDelivery] as [EncodedDelivery],
  })
  connection.db.exec('pragma query_only = on')
  const failure = { error: expect.objectContaining({ errcode: 8, message: 'attempt to write a readonly database' }) }
  expect(writer.execute([store('a'), store('b')])).toEqual([failure, failure])
  expect(connection.db.isTransaction).toBe(false)
  connection.db.exec('pragma query_only = off')
  const receipts = writer.execute([store('a'), store('b')]).map((answer) => 'value' in answer && answer.value)
  expect(receipts).toMatchObject([{ outcome: 'stored' }, { outcome: 'stored' }])
})

test('the transaction that creates the tables also marks the file as an inbox', () => {
  const file = newFile()
  const [db, other] = [new DatabaseSync(file), new DatabaseSync(file)]
  afterwards(() => [db, other].map((one) => one.close()))
  db.exec('pragma journal_mode = wal')
  const exec = db.exec.bind(db)
  const look = () => ({
    ...other.prepare('select count(*) > 0 as filled from sqlite_schema').get(),
    ...other.prepare('pragma application_id').get(),
  })
  const seen: unknown[] = []
  db.exec = (sql) => {
    exec(sql)
    seen.push(look()) // the state that another process sees, or the next process after a kill
  }
  migrate(db)
  const marks = new Map(seen.map((one) => [JSON.stringify(one), one]))
  expect([...marks.values()]).toEqual([
    { filled: 0, application_id: 0 },
    { filled: 1, application_id: 0x686f6f6b },
  ])
})

test('eight processes that start together on a new file all work', async () => {
  const scene = new Scene() // opens the file only when it stores a delivery
  const handlers = [{ event: 'push', name: 'ends', behavior: 'ends' }] as const
  const workers = await Promise.all(Array.from({ length: 8 }, () => scene.work(handlers, { heartbeat: 1000 })))
  await eventually(() => expect(scene.query('select count(*) as count from workers')).toEqual([{ count: 8 }]))
  for (const worker of workers) expect(worker.complaints).toBe('')
  const ids = await Promise.all(Array.from({ length: 40 }, (_, index) => scene.store(`delivery ${index}`)))
  for (const id of ids) await eventually(async () => expect(await scene.state(id)).toBe('done'))
  expect(scene.query('pragma integrity_check')).toEqual([{ integrity_check: 'ok' }])
})
