import { execFileSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  linkSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connect, prepareFile } from '../../../src/sqlite/connection/open.ts'
import { sqlite } from '../../../src/sqlite/index.ts'
import { Engine, folder, newFile } from '../engine.ts'

const modeOf = (path: string) => statSync(path).mode & 0o777
const settings = { lockTimeout: 1000, maxSize: Number.MAX_SAFE_INTEGER }

function open(path: string): DatabaseSync {
  const db = new DatabaseSync(path)
  onTestFinished(() => void (db.isOpen && db.close()))
  return db
}

/** The error that opening this file throws. */
function failureOf(path: string): Error {
  try {
    prepareFile(path)
  } catch (error) {
    return error as Error
  }
  throw new Error('It opened')
}

describe('the file', () => {
  test('is created readable for its owner only, like the files that SQLite creates beside it', () => {
    const old = process.umask(0)
    onTestFinished(() => void process.umask(old))
    const path = join(folder(), 'hookserver.db')
    const engine = new Engine(path)
    engine.store()
    for (const file of [path, `${path}-wal`, `${path}-shm`]) expect([file, modeOf(file)]).toEqual([file, 0o600])
  })

  test('has pages of 8 KiB, a write-ahead log, and the application id', () => {
    const path = newFile()
    prepareFile(path)
    const db = open(path)
    expect(db.prepare('pragma page_size').get()).toEqual({ page_size: 8192 })
    expect(db.prepare('pragma journal_mode').get()).toEqual({ journal_mode: 'wal' })
    expect(db.prepare('pragma application_id').get()).toEqual({ application_id: 0x686f6f6b })
    expect(readFileSync(path).subarray(68, 72).toString()).toBe('hook')
  })

  test('opens again with its deliveries', () => {
    const path = newFile()
    const first = new Engine(path)
    const { id } = first.store({ guid: 'g' })
    first.close()
    expect(new Engine(path).detail(id).guid).toBe('g')
  })

  test.runIf(process.platform === 'linux')('keeps its locks when it is opened again', async () => {
    const path = newFile()
    new Engine(path)
    const file = new RegExp(` ${process.pid} .*:${statSync(path).ino} `)
    // While other processes lock files, the list may have a line twice, or lack it.
    const locks = () => {
      const lines = readFileSync('/proc/locks', 'utf8').split('\n')
      return [...new Set(lines.filter((line) => file.test(line)).map((line) => line.replace(/^\d+: /, '')))].sort()
    }
    await expect.poll(() => locks().length).toBeGreaterThan(0)
    const before = locks()
    prepareFile(path)
    await expect.poll(locks).toEqual(before)
  })

  test('may exist already, and be empty', () => {
    const path = newFile()
    closeSync(openSync(path, 'w'))
    prepareFile(path)
    expect(new Engine(path).store().outcome).toBe('stored')
  })
})

test('a symbolic link and its file have the same log', () => {
  const path = newFile()
  const engine = new Engine(path)
  const link = join(folder(), 'hookserver.db')
  symlinkSync(path, link)
  const { id } = new Engine(link).store({ guid: 'g' })
  expect(engine.detail(id).guid).toBe('g')
})

describe('a connection', () => {
  test('returns from a commit after the log was fsynced', () => {
    const path = newFile()
    prepareFile(path)
    const db = connect(path, settings)
    onTestFinished(() => db.close())
    expect(db.prepare('pragma synchronous').get()).toEqual({ synchronous: 2 })
    expect(db.prepare('pragma fullfsync').get()).toEqual({ fullfsync: 1 })
    expect(db.prepare('pragma checkpoint_fullfsync').get()).toEqual({ checkpoint_fullfsync: 1 })
  })

  test('waits for the lock as the options say', () => {
    const path = newFile()
    prepareFile(path)
    const db = connect(path, { lockTimeout: 1234 })
    onTestFinished(() => db.close())
    expect(db.prepare('pragma busy_timeout').get()).toEqual({ timeout: 1234 })
  })
})

describe('a file that cannot be opened', () => {
  test('is named with the fix: a folder', () => {
    const path = folder()
    expect(failureOf(path).message).toBe(`Cannot open the inbox ${path}: it is a folder: name a file`)
  })

  test('is named with the fix: a hard link', () => {
    const path = newFile()
    prepareFile(path)
    const other = join(folder(), 'hookserver.db')
    linkSync(path, other)
    const reason = 'it has a second name (a hard link), and each name would have a write-ahead log of its own'
    expect(failureOf(other).message).toBe(`Cannot open the inbox ${other}: ${reason}: delete the other name`)
    expect(failureOf(path).message).toContain(reason)
  })

  test('is named with the fix if its folder does not exist, and no folder is created', () => {
    const missing = join(folder(), 'missing')
    const path = join(missing, 'deeper', 'hookserver.db')
    const fix = `create it (mkdir -p ${join(missing, 'deeper')}), or name another file`
    expect(failureOf(path).message).toBe(`Cannot open the inbox ${path}: its folder does not exist: ${fix}`)
    expect(existsSync(missing)).toBe(false)
  })

  test('is named with the fix: no database', () => {
    const path = newFile()
    writeFileSync(path, 'This is a text, and a long one. '.repeat(100))
    expect(failureOf(path).message).toContain(`${path}: it is not an SQLite database, or it is damaged: move it away`)
    expect(readFileSync(path, 'utf8')).toMatch(/^This is a text/)
  })

  test('is named with the fix: damaged', () => {
    const path = newFile()
    prepareFile(path)
    truncateSync(path, 8192)
    expect(failureOf(path).message).toMatch(/damaged.*: move it away and restore a backup/)
    expect(failureOf(path).cause).toBeInstanceOf(Error)
  })

  test.skipIf(process.platform === 'win32')('is named with the fix: writing it fails', () => {
    const path = newFile()
    const module = new URL('../../../src/sqlite/connection/open.ts', import.meta.url)
    const code = `import { prepareFile } from '${module}'; try { prepareFile('${path}') } catch (e) { console.log(e.message) }`
    // The process may write no file of more than 8 KiB or so.
    const command = 'trap "" XFSZ; ulimit -f 16; exec "$@"'
    const args = [process.execPath, '--input-type=module', '--eval', code]
    const output = execFileSync('sh', ['-c', command, 'sh', ...args], { encoding: 'utf8' })
    expect(output).toBe(`Cannot open the inbox ${path}: its disk is full, or fails: make room, or check the disk\n`)
  })

  test('is named with the fix, and not changed: a file of another program', () => {
    const path = newFile()
    const db = open(path)
    db.exec('create table theirs (n)')
    db.close()
    const before = readFileSync(path)
    expect(failureOf(path).message).toContain('it is the database of another program: choose another file')
    expect(Buffer.compare(readFileSync(path), before)).toBe(0)
  })

  test('is named with the fix: a newer schema', () => {
    const path = newFile()
    prepareFile(path)
    const db = open(path)
    db.exec('pragma user_version = 1000')
    db.close()
    expect(failureOf(path).message).toContain('upgrade hookserver')
  })

  test('is named with the fix: a file in place of its folder', () => {
    const path = newFile()
    writeFileSync(path, '')
    expect(failureOf(join(path, 'hookserver.db')).message).toContain(join(path, 'hookserver.db'))
  })

  test('is reported by sqlite() itself, before it starts a thread', () => {
    expect(() => sqlite(folder())).toThrow(/Cannot open the inbox .*: name a file/)
  })
})
