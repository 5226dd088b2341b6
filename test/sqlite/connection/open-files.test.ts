import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { sqlite } from '../../../dist/sqlite/index.js' // its threads start in two thirds of the time
import { Hooks } from '../../../src/hooks.ts'
import type { Store } from '../../../src/inbox/inbox.ts'
import { eventually, stateIn, withMembers } from '../../inbox/stores.ts'
import { Recorder } from '../../recorder.ts'
import { Engine, folder, newDelivery, newFile } from '../engine.ts'

function open(path: string): Store {
  const inbox = sqlite(path)
  onTestFinished(() => inbox.close())
  return inbox
}

const guidsIn = async (inbox: Store) => (await inbox.list({})).deliveries.map(({ guid }) => guid)

/** The arguments of a process that stores deliveries, because connections of one process share their memory. */
function storing(path: string, guids: readonly string[], end: string): string[] {
  const module = JSON.stringify(new URL('../../../dist/sqlite/index.js', import.meta.url))
  const delivery = { ...newDelivery(), body: undefined }
  const program = `
    const { sqlite } = await import(${module})
    const inbox = sqlite(${JSON.stringify(path)})
    for (const guid of ${JSON.stringify(guids)}) {
      await inbox.store({ ...${JSON.stringify(delivery)}, guid, body: new TextEncoder().encode(guid) })
    }
    ${end}`
  return ['--input-type=module', '-e', program]
}

const closing = 'await inbox.close()'
const dying = `process.kill(process.pid, 'SIGKILL')`

const run = (args: readonly string[]) => promisify(execFile)(process.execPath, args)

describe('a database file that disappears while it is open', () => {
  test('makes the inbox reject deliveries until it is moved back', async () => {
    const path = newFile()
    const inbox = open(path)
    await inbox.store(newDelivery({ guid: 'before' }))
    expect(await guidsIn(inbox)).toEqual(['before']) // both threads have opened the file
    renameSync(path, `${path}.moved`)
    const stored = Promise.allSettled(['a', 'b'].map((guid) => inbox.store(newDelivery({ guid }))))
    for (const { status } of await stored) expect(status).toBe('rejected')
    await expect(inbox.store(newDelivery())).rejects.toThrow(
      `${path} was deleted or replaced while the server was running: move it back. Or restart the server`,
    )
    renameSync(`${path}.moved`, path)
    expect(await inbox.store(newDelivery({ guid: 'after' }))).toMatchObject({ outcome: 'stored' })
    expect(await guidsIn(inbox)).toEqual(['after', 'before'])
  })

  test('is not created by a thread that starts meanwhile, because SQLite would then delete the log', async () => {
    const path = newFile()
    const inbox = open(path)
    await inbox.setValue('written by', 'the writer thread')
    renameSync(path, `${path}.moved`)
    await expect(inbox.getValue('written by')).rejects.toThrow() // starts the maintenance thread
    expect(existsSync(path)).toBe(false)
    renameSync(`${path}.moved`, path)
    expect(await inbox.store(newDelivery({ guid: 'after' }))).toMatchObject({ outcome: 'stored' })
    expect(await guidsIn(inbox)).toEqual(['after'])
  })

  test('makes the inbox reject deliveries when it is deleted, and a new inbox begins with an empty file', async () => {
    const path = newFile()
    const inbox = open(path)
    await inbox.store(newDelivery())
    rmSync(path)
    await expect(inbox.store(newDelivery())).rejects.toThrow('was deleted or replaced')
    await inbox.close()
    const reopened = open(path)
    await reopened.store(newDelivery({ guid: 'after' }))
    expect(await guidsIn(reopened)).toEqual(['after'])
  })

  test('makes the inbox reject deliveries when another file replaces it', async () => {
    const path = newFile()
    const inbox = open(path)
    await inbox.store(newDelivery())
    copyFileSync(path, `${path}.copy`)
    renameSync(`${path}.copy`, path)
    await expect(inbox.store(newDelivery())).rejects.toThrow('was deleted or replaced')
  })

  test('makes the worker log the cause once, and handle deliveries again when it is moved back', async () => {
    const path = newFile()
    const inbox = open(path)
    const recorder = new Recorder()
    let registrations = 0
    const counted = withMembers(inbox, {
      registerWorker: (...given) => {
        registrations++
        return inbox.registerWorker(...given)
      },
    })
    const hooks = new Hooks({ secret: 's', inbox: counted, logger: recorder })
    onTestFinished(() => hooks.close({ grace: 0 }))
    const handled: string[] = []
    hooks.on('push', { name: 'handler' }, ({ guid }) => void handled.push(guid))
    hooks.work()
    const { id } = await inbox.store(newDelivery({ guid: 'before' }))
    await eventually(async () => expect(await stateIn(inbox, id)).toBe('done'))

    renameSync(path, `${path}.moved`)
    const causes = () => recorder.lines.flatMap(({ fields }) => ('err' in fields ? [String(fields.err)] : []))
    const before = registrations
    await eventually(() => expect(registrations).toBeGreaterThan(before + 1)) // the worker tried again
    expect(causes()).toEqual([expect.stringContaining('was deleted or replaced')])
    renameSync(`${path}.moved`, path)
    await inbox.store(newDelivery({ guid: 'after' }))
    await eventually(() => expect(handled).toEqual(['before', 'after']))
    expect(causes()).toHaveLength(1)
  })
})

test('an inbox rejects deliveries after its log is deleted, and saves the log when it is closed', async () => {
  const path = newFile()
  const inbox = open(path)
  await inbox.store(newDelivery({ guid: 'before' }))
  rmSync(`${path}-wal`)
  await expect(inbox.store(newDelivery())).rejects.toThrow(`${path}-wal was deleted or replaced`)
  await inbox.close()
  const reopened = open(path)
  await reopened.store(newDelivery({ guid: 'after' }))
  expect(await guidsIn(reopened)).toEqual(['after', 'before'])
})

describe('an inbox whose shared memory is deleted', () => {
  test('rejects deliveries, reads nothing, and keeps the stored deliveries', async () => {
    const path = newFile()
    const inbox = open(path)
    const { id } = await inbox.store(newDelivery({ guid: 'before' }))
    await inbox.body(id)
    rmSync(`${path}-shm`)
    const reason = `${path}-shm was deleted or replaced while the server was running: restart the server`
    await expect(inbox.store(newDelivery())).rejects.toThrow(reason)
    await eventually(() => expect(inbox.body(id)).rejects.toThrow(reason)) // the database is closed
    await expect(inbox.store(newDelivery())).rejects.toThrow(reason)
    await expect(inbox.checkWritable()).rejects.toThrow(reason)
    await inbox.close()
    const reopened = open(path)
    await reopened.store(newDelivery({ guid: 'after' }))
    expect(await guidsIn(reopened)).toEqual(['after', 'before'])
  })

  test('neither overwrites nor deletes the log of a process that has opened the file since', async () => {
    const path = newFile()
    const inbox = open(path)
    await inbox.store(newDelivery({ guid: 'before' }))
    rmSync(`${path}-shm`)
    await eventually(() => expect(existsSync(`${path}-wal`)).toBe(false)) // both threads have closed the database
    await run(storing(path, ['a', 'b'], closing))
    await expect(inbox.store(newDelivery())).rejects.toThrow(`${path}-shm was deleted or replaced`)
    await inbox.close()
    expect(await guidsIn(open(path))).toEqual(['b', 'a', 'before'])
  })

  test.each([
    ['closes the database', closing],
    ['is killed', dying],
  ])('keeps the log if the process is suspended until another one %s', async (_how, end) => {
    const path = newFile()
    const args = storing(
      path,
      ['before'],
      `console.log('ready'); process.stdin.once('end', () => inbox.close()).resume()`,
    )
    const suspended = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    onTestFinished(() => void suspended.kill('SIGKILL'))
    await once(suspended.stdout, 'data')
    suspended.kill('SIGSTOP')
    rmSync(`${path}-shm`)
    await run(storing(path, ['a', 'b'], end)).catch((error) => expect(error.signal).toBe('SIGKILL'))
    suspended.kill('SIGCONT')
    suspended.stdin.end()
    expect(await once(suspended, 'exit')).toEqual([0, null])
    expect(await guidsIn(open(path))).toEqual(['b', 'a', 'before'])
  })

  test('does not acknowledge a delivery if the file is deleted during the commit', () => {
    const engine = new Engine()
    engine.store()
    const exec = engine.writing.db.exec.bind(engine.writing.db)
    engine.writing.db.exec = (sql) => {
      exec(sql)
      if (sql === 'commit') rmSync(`${engine.path}-shm`)
    }
    expect(() => engine.store()).toThrow(`${engine.path}-shm was deleted or replaced`)
  })
})

test('a deleted log is saved even if the maintenance thread opens the file after the deletion', async () => {
  const path = newFile()
  const inbox = open(path)
  await inbox.setValue('written by', 'the writer thread')
  rmSync(`${path}-wal`)
  await inbox.getValue('written by').catch(() => {}) // starts the maintenance thread, which creates another log
  await inbox.close()
  expect(await open(path).getValue('written by')).toBe('the writer thread')
})

test('a database behind a symbolic link is found at its real path', async () => {
  const path = newFile()
  await open(path).close()
  const link = join(folder(), 'link.db')
  symlinkSync(path, link)
  const inbox = open(link)
  for (const guid of ['a', 'b']) expect(await inbox.store(newDelivery({ guid }))).toMatchObject({ outcome: 'stored' })
  renameSync(path, `${path}.moved`)
  await expect(inbox.store(newDelivery())).rejects.toThrow(`${path} was deleted`)
  renameSync(`${path}.moved`, path)
})
