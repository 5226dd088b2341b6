import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ownIdentity } from '../../../src/runtime/process-identity.ts'
import { assertUnlocked, isAbandoned, isLocked, withFileLock } from '../../../src/server/config/file-lock.ts'
import { project } from '../service.ts'

const lock = (path: string, change: () => Promise<unknown> | unknown = () => 'changed') =>
  withFileLock(path, 'Another change is running', change)

/** Starts a program that has `lock` and `path`. Its output begins with "ready". */
async function start(path: string, program: string) {
  const module = new URL('../../../src/server/config/file-lock.ts', import.meta.url).href
  const prelude = `const path = ${JSON.stringify(path)}
    const lock = async (change) => (await import(${JSON.stringify(module)})).withFileLock(path, 'Another change is running', change)`
  const child = spawn(process.execPath, ['-e', `${prelude}\n${program}`], { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'readable')
  return child
}

describe('a lock on a file', () => {
  test('is taken over from a process that was killed', async () => {
    const folder = project({ file: '' })
    const path = join(folder, 'file')
    const holder = await start(
      path,
      "lock(() => { console.log('ready'); return new Promise((r) => setTimeout(r, 1e9)) })",
    )
    await expect(lock(path)).rejects.toThrow(`If it crashed, delete ${path}.lock`)
    expect(() => assertUnlocked(path, 'Another change is running')).toThrow('Another change is running: wait')
    holder.kill('SIGKILL')
    await once(holder, 'close')
    expect([existsSync(`${path}.lock`), isLocked(path)]).toEqual([true, false])
    expect(await lock(path)).toBe('changed')
    expect(readdirSync(folder).filter((name) => name.includes('file'))).toEqual(['file'])
  })

  test('is not taken over from the process that has just taken it over', async () => {
    const folder = project({ file: '' })
    const path = join(folder, 'file')
    const ended = JSON.stringify({ ...ownIdentity(), pid: 2 ** 22 + 1 })
    writeFileSync(`${path}.lock`, ended)
    // The program reads the abandoned lock, and continues only when this process holds the lock.
    const slow = await start(
      path,
      `const fs = require('node:fs')
      const { readFileSync } = fs
      fs.readFileSync = (...args) => {
        const text = readFileSync(...args)
        if (args[0] !== path + '.lock') return text
        fs.readFileSync = readFileSync
        require('node:module').syncBuiltinESMExports()
        fs.writeSync(1, 'ready ')
        readFileSync(0)
        return text
      }
      require('node:module').syncBuiltinESMExports()
      lock(() => 'changed').then(console.log, ({ message }) => console.log(message))`,
    )
    const output = text(slow.stdout)
    await lock(path, async () => {
      const own = readFileSync(`${path}.lock`, 'utf8')
      slow.stdin.end()
      expect(await output).toContain('ready Another change is running')
      expect(readFileSync(`${path}.lock`, 'utf8')).toBe(own)
    })
    expect(readdirSync(folder).filter((name) => name.includes('file'))).toEqual(['file'])
  })

  test.each([
    ['has ended', { pid: 2 ** 22 + 1 }, true],
    ['runs', { pid: process.pid }, false],
    ['is on another machine', { pid: 2 ** 22 + 1, host: 'elsewhere' }, false],
    ['is in a container', { pid: 2 ** 22 + 1, realm: 'a container' }, false],
    ['has no process id', { pid: '1' }, false],
  ])('is abandoned on a system without /proc only if its holder has certainly ended: it %s', (_, holder, expected) => {
    const own = { host: 'here', pid: process.pid }
    expect(isAbandoned(JSON.stringify({ host: 'here', ...holder }), own)).toBe(expected)
  })

  test.each(['', 'x', 'null', '[]', '{}'])('with another text counts as held: %j', async (text) => {
    const path = join(project({ file: '', 'file.lock': text }), 'file')
    expect(isLocked(path)).toBe(true)
    await expect(lock(path)).rejects.toThrow('Another change is running')
  })
})
