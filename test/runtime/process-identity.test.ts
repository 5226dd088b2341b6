import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { hasEnded, ownIdentity, type ProcessIdentity } from '../../src/runtime/process-identity.ts'

const linux = process.platform === 'linux'
const own = ownIdentity()

/** A process that prints its identity and runs until it is killed. */
async function start(): Promise<{ child: ChildProcess; identity: ProcessIdentity }> {
  const module = JSON.stringify(new URL('../../src/runtime/process-identity.ts', import.meta.url).href)
  const program = `import { ownIdentity } from ${module}; console.log(JSON.stringify(ownIdentity())); setInterval(() => {}, 1e6)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  for await (const line of createInterface({ input: child.stdout })) return { child, identity: JSON.parse(line) }
  throw new Error('The process printed nothing')
}

describe('the identity of a process', () => {
  test('is its process id and the machine', () => {
    expect(own).toMatchObject({ pid: process.pid, host: expect.any(String) })
    expect(ownIdentity()).toEqual(own)
  })

  test.runIf(linux)('distinguishes it from other processes with the same pid', () => {
    expect(own.realm).toMatch(/^[0-9a-f-]{36} pid:\[\d+\]$/)
    expect(own.started).toMatch(/^\d+$/)
  })
})

describe('whether a process has ended', () => {
  test('is false for this process', () => {
    expect(hasEnded(own, own)).toBe(false)
  })

  test.runIf(linux)('is true immediately on the machine where it was killed', async () => {
    const { child, identity } = await start()
    expect(identity).toMatchObject({ pid: child.pid, realm: own.realm })
    expect(hasEnded(identity, own)).toBe(false)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(hasEnded(identity, own)).toBe(true)
  })

  test.runIf(linux)('is true for a zombie', async () => {
    // The shell replaces itself with a program that never waits for its child.
    const shell = spawn('sh', ['-c', 'sh -c "read go" <&3 & echo $!; exec sleep 1000'], {
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    })
    onTestFinished(() => void shell.kill('SIGKILL'))
    let pid = 0
    for await (const line of createInterface({ input: shell.stdout as NodeJS.ReadableStream })) {
      pid = Number(line)
      break
    }
    const stat = () => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? []
    const identity = { ...own, pid, started: stat()[19] }
    expect(hasEnded(identity, own)).toBe(false)
    const program = () => readFileSync(`/proc/${shell.pid}/comm`, 'latin1').trim()
    await vi.waitFor(() => expect(program()).toBe('sleep'), { timeout: 60_000 })
    ;(shell.stdio[3] as NodeJS.WritableStream).end()
    await vi.waitFor(() => expect(stat()[0]).toBe('Z'), { timeout: 60_000 })
    expect(hasEnded(identity, own)).toBe(true)
  })

  test.runIf(linux)('is true even if another process has the same pid', () => {
    expect(hasEnded({ ...own, started: '1' }, own)).toBe(true)
  })

  test('is false for another machine, another container, or a system without this information', () => {
    const gone = { host: 'elsewhere', pid: 2 ** 22 + 1, started: '1' }
    expect(hasEnded({ ...gone, realm: 'another realm' }, own)).toBe(false)
    expect(hasEnded(gone, own)).toBe(false)
    expect(hasEnded(gone, { host: 'elsewhere', pid: 1 })).toBe(false)
  })
})
