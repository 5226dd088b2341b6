import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { migrate } from '../../src/sqlite/migrations.ts'
import { newFile } from './engine.ts'

function open(path = ':memory:'): DatabaseSync {
  const db = new DatabaseSync(path)
  onTestFinished(() => void (db.isOpen && db.close()))
  return db
}

const versionOf = (db: DatabaseSync) => db.prepare('pragma user_version').get()?.user_version as number
/** What a file of a schema has beside those of the schemas before it. */
const fixture = (schema: number) => readFileSync(new URL(`schemas/${schema}.sql`, import.meta.url), 'utf8')
const schemaOf = (db: DatabaseSync) => db.prepare('select type, name, sql from sqlite_schema order by name').all()

describe('migrating', () => {
  test('brings an empty file to the newest schema', () => {
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

  test.for([1, 2])('brings a file of schema %i to the newest, with all that it holds', (schema) => {
    const [db, reference] = [open(), open()]
    for (let number = 1; number <= schema; number++) db.exec(fixture(number))
    expect(versionOf(db)).toBe(schema)
    migrate(db)
    migrate(reference)
    const columns = (one: DatabaseSync) =>
      one.prepare('select m.name, c.* from sqlite_schema m, pragma_table_info(m.name) c order by m.name, c.cid').all()
    expect(columns(db)).toEqual(columns(reference))
    expect(db.prepare('select id, guid, edited_from from deliveries').all()).toEqual([
      { id: 7, guid: 'a GUID', edited_from: schema < 2 ? null : 3 },
    ])
    expect(db.prepare('select name from leases').all()).toEqual(schema < 2 ? [] : [{ name: 'sweep' }])
    expect(db.prepare('select at from inbox_info').all()).toEqual([{ at: 1000 }])
    expect(db.prepare('pragma integrity_check').get()).toEqual({ integrity_check: 'ok' })
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

  test('refuses a file that a newer hookserver wrote, and leaves it as it is', () => {
    const db = open()
    migrate(db)
    db.exec('pragma user_version = 1000')
    expect(() => migrate(db)).toThrow(/newer hookserver \(schema 1000, this one knows \d+\): upgrade hookserver/)
    expect([versionOf(db), db.isTransaction]).toEqual([1000, false])
  })

  test('takes all steps or none', () => {
    const db = open()
    db.exec('create table attempts (in_the_way integer)')
    expect(() => migrate(db)).toThrow(/already exists/)
    expect([versionOf(db), db.isTransaction, schemaOf(db).map(({ name }) => name)]).toEqual([0, false, ['attempts']])
  })

  test('is done once though several processes start together', async () => {
    const path = newFile()
    const module = JSON.stringify(new URL('../../src/sqlite/open.ts', import.meta.url).href)
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
