import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { applicationId, migrate, migrations } from '../../src/sqlite/migrations.ts'
import { newFile } from './engine.ts'

function open(path = ':memory:'): DatabaseSync {
  const db = new DatabaseSync(path)
  onTestFinished(() => void (db.isOpen && db.close()))
  return db
}

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')

const versionOf = (db: DatabaseSync) => db.prepare('pragma user_version').get()?.user_version as number
/** The tables with their columns, and the texts of indexes and triggers. A step cannot write the comments of a table. */
function schemaOf(db: DatabaseSync) {
  const all = db.prepare('select type, name, sql from sqlite_schema order by name').all()
  return all.map(({ type, name, sql }) => {
    if (type !== 'table') return { type, name, sql: (sql as string | null)?.replace(/\s+/g, ' ') }
    const columns = db.prepare('select * from pragma_table_xinfo(?)').all(name as string)
    return { type, name, columns, kind: db.prepare('select strict, wr from pragma_table_list(?)').all(name as string) }
  })
}

describe('migrating', () => {
  test('creates the tables in an empty file', () => {
    const db = open()
    migrate(db)
    expect(versionOf(db)).toBeGreaterThan(0)
    const tables = schemaOf(db).filter(({ type }) => type === 'table')
    const names = tables.map(({ name }) => name as string).filter((name) => !name.startsWith('sqlite_'))
    expect(names).toEqual(
      expect.arrayContaining(['attempts', 'deliveries', 'packs', 'pauses', 'tasks', 'tombstones', 'workers']),
    )
    expect(db.prepare('pragma integrity_check').get()).toEqual({ integrity_check: 'ok' })
    expect(db.isTransaction).toBe(false)
  })

  test('creates the same tables as `sqlite3` that runs schema.sql', () => {
    const [db, reference] = [open(), open()]
    db.exec(read('../../src/sqlite/schema.sql'))
    migrate(reference)
    expect([versionOf(db), schemaOf(db)]).toEqual([versionOf(reference), schemaOf(reference)])
    expect(db.prepare('pragma application_id').get()).toEqual({ application_id: applicationId })
    expect(db.prepare('select count(*) as count from inbox_info').get()).toEqual({ count: 1 })
  })

  test('migrates a file of version 1, and keeps its contents', () => {
    const [db, reference] = [open(), open()]
    db.exec(read('version-1.sql'))
    db.exec(`
      insert into deliveries
        (id, identity, variant, source, hook_id, guid, event, state, matched, received_at, stored_at, sha256,
         pack, start, headers_size, size, form, recovered, edited_from)
      values (7, x'00', 0, '/hooks', '1', 'a GUID', 'push', 'pending', 0, 1000, 1000, x'00', 7, 0, 2, 2, 'json', 1, 3);
      insert into packs (id, last, bytes) values (7, 7, x'28b52ffd20042100007b7d7b7d');
      insert into leases (name, holder, until) values ('sweep', 'a process', 2000);
      insert into tombstones (identity, hook_id, variant, sha256, state, recovered, pruned_at)
      values (x'01', '1', 0, x'00', 'done', 1, 1000);
      update inbox_info set created_at = 1000`)
    migrate(db)
    migrate(reference)
    expect([versionOf(db), schemaOf(db)]).toEqual([versionOf(reference), schemaOf(reference)])
    expect(db.prepare('select id, guid, pulled, edited_from from deliveries').all()).toEqual([
      { id: 7, guid: 'a GUID', pulled: 1, edited_from: 3 },
    ])
    expect(db.prepare('select pulled from tombstones').all()).toEqual([{ pulled: 1 }])
    expect(db.prepare('select name from leases').all()).toEqual([{ name: 'sweep' }])
    expect(db.prepare('select created_at from inbox_info').all()).toEqual([{ created_at: 1000 }])
    expect(db.prepare('pragma integrity_check').get()).toEqual({ integrity_check: 'ok' })
  })

  test('groups the failures of a file of version 1', () => {
    const db = open()
    db.exec(read('version-1.sql'))
    db.exec(`
      insert into tasks (delivery_id, handler, state, attempt)
      values (1, 'a', 'dead', 2), (2, 'a', 'retrying', 1), (3, 'a', 'done', 2), (4, 'a', 'dead', 1), (5, 'b', 'retrying', 1);
      insert into attempts (delivery_id, handler, number, started_at, duration, outcome, error)
      values (1, 'a', 1, 1000, 5, 'failed', 'Error: another'), (1, 'a', 2, 2000, 5, 'dead', 'Error: Order 1'),
             (2, 'a', 1, 1500, 5, 'failed', 'Error: Order 2'), (2, 'a', 2, 1600, 5, 'released', null),
             (3, 'a', 1, 1000, 5, 'failed', 'Error: Order 3'), (3, 'a', 2, 2000, 5, 'succeeded', null),
             (4, 'a', 1, 3000, 5, 'dead', null), (5, 'b', 1, 4000, null, 'cut off', null)`)
    migrate(db)
    expect(
      db
        .prepare(`select failure_groups.handler, error, first_at, returned_at, group_concat(delivery_id || ' ' || failed_at) as tasks
                  from failure_groups join tasks on failure_group = failure_groups.id group by id order by first_at`)
        .all(),
    ).toEqual([
      { handler: 'a', error: 'Error: Order <n>', first_at: 1505, returned_at: null, tasks: '2 1505,1 2005' },
      { handler: 'a', error: 'No error message', first_at: 3005, returned_at: null, tasks: '4 3005' },
      {
        handler: 'b',
        error: expect.stringContaining('The lease expired'),
        first_at: 4000,
        returned_at: null,
        tasks: '5 4000',
      },
    ])
  })

  test('groups more failures than a migration reads at a time', () => {
    const db = open()
    db.exec(read('version-1.sql'))
    db.exec(`
      with recursive ids (id) as (select 1 union all select id + 1 from ids where id < 1101)
      insert into tasks (delivery_id, handler, state, attempt) select (id + 1) / 2, 'handler ' || (id % 2), 'dead', 1 from ids;
      insert into attempts (delivery_id, handler, number, started_at, duration, outcome, error)
      select delivery_id, handler, 1, delivery_id, 0, 'dead', 'Error: Order ' || delivery_id from tasks`)
    migrate(db)
    expect(db.prepare('select count(*) as count from tasks where failed_at = delivery_id').get()).toEqual({
      count: 1101,
    })
    expect(db.prepare("select sum(count) as count from failure_counts where measure = 'dead'").get()).toEqual({
      count: 1101,
    })
  })

  test('puts the slow deliveries of a file of version 1 into the index of durations', () => {
    const db = open()
    db.exec(read('version-1.sql'))
    db.exec(`
      insert into deliveries
        (id, identity, variant, source, hook_id, guid, event, state, matched, received_at, stored_at, sha256,
         pack, start, headers_size, size, form, recovered)
      select value, cast(value as blob), 0, '/hooks', '1', 'a GUID', 'push', 'done', 1, 1000, 1000, x'00', 7, 0, 2, 2, 'json', 0
      from json_each('[1, 2, 3]');
      update deliveries set identity = randomblob(16);
      insert into attempts (delivery_id, handler, number, started_at, duration, outcome)
      values (1, 'a', 1, 1000, 999, 'succeeded'), (2, 'a', 1, 1000, 3000, 'failed'), (2, 'a', 2, 1000, 1000, 'succeeded'),
             (3, 'a', 1, 1000, null, 'cut off')`)
    migrate(db)
    expect(db.prepare('select id, duration_class from deliveries').all()).toEqual([
      { id: 1, duration_class: null },
      { id: 2, duration_class: 2 },
      { id: 3, duration_class: null },
    ])
  })

  test('migrates a file with a later step', () => {
    const [db, reference] = [open(), open()]
    migrate(db)
    const steps = [
      ...migrations,
      `alter table deliveries add column priority integer not null default 0;
       create table priorities (name text primary key) strict`,
    ]
    migrate(db, steps)
    migrate(reference, steps)
    const newest = 1 + migrations.length
    expect([versionOf(db), schemaOf(db)]).toEqual([newest + 1, schemaOf(reference)])
    expect(() => migrate(db)).toThrow(`schema ${newest + 1}; this one knows ${newest}`)
  })

  test('changes nothing the second time', () => {
    const db = open()
    migrate(db)
    const [version, schema] = [versionOf(db), schemaOf(db)]
    db.exec("insert into pauses values ('kept')")
    migrate(db)
    expect([versionOf(db), schemaOf(db)]).toEqual([version, schema])
    expect(db.prepare('select handler from pauses').all()).toEqual([{ handler: 'kept' }])
  })

  test('rejects a file with a newer schema, and leaves it unchanged', () => {
    const db = open()
    migrate(db)
    db.exec('pragma user_version = 1000')
    expect(() => migrate(db)).toThrow(/newer hookserver \(schema 1000; this one knows \d+\): upgrade hookserver/)
    expect([versionOf(db), db.isTransaction]).toEqual([1000, false])
  })

  test('rolls back all steps if one fails', () => {
    const db = open()
    db.exec('create table attempts (existing integer)')
    expect(() => migrate(db)).toThrow(/already exists/)
    expect([versionOf(db), db.isTransaction, schemaOf(db).map(({ name }) => name)]).toEqual([0, false, ['attempts']])
  })

  test('migrates once if several processes start together', async () => {
    const path = newFile()
    const module = JSON.stringify(new URL('../../src/sqlite/connection/open.ts', import.meta.url).href)
    const program = `
      import { prepareFile } from ${module}
      process.stdin.once('data', () => { prepareFile(${JSON.stringify(path)}); process.exit(0) })
      console.log('ready')`
    const children = [1, 2, 3].map(() => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      onTestFinished(() => void child.kill('SIGKILL'))
      return { child, ready: once(child.stdout, 'data'), exited: once(child, 'exit') }
    })
    await Promise.all(children.map(({ ready }) => ready))
    for (const { child } of children) child.stdin.write('go')
    expect(await Promise.all(children.map(({ exited }) => exited))).toEqual(Array(3).fill([0, null]))
    const [db, reference] = [open(path), open()]
    migrate(reference)
    expect([versionOf(db), schemaOf(db)]).toEqual([versionOf(reference), schemaOf(reference)])
  })
})
