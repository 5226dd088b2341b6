import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { ThreadClient } from '../../src/runtime/thread-client.ts'
import type { Call, ToThread } from '../../src/runtime/thread-server.ts'
import { prepareFile } from '../../src/sqlite/open.ts'
import { resolveSqliteOptions } from '../../src/sqlite/options.ts'
import { type MaintenanceCalls, maintenanceThread, type WriterCalls, writerThread } from '../../src/sqlite/threads.ts'
import { folder, newFile, packed, parcel } from './engine.ts'

const post = vi.spyOn(Worker.prototype, 'postMessage')
afterEach(() => void post.mockClear())

function closedAtEnd<Served>(thread: ThreadClient<Served>): ThreadClient<Served> {
  onTestFinished(() => thread.close())
  return thread
}

const settingsOf = (path: string) => ({ path, ...resolveSqliteOptions({}) })
const writerOf = (path: string) => closedAtEnd(writerThread(settingsOf(path)))
const maintenanceOf = (path: string, prelude: () => Call<MaintenanceCalls>[] = () => []) => {
  return closedAtEnd(maintenanceThread(settingsOf(path), prelude))
}

/** The file of an inbox in which there is nothing yet. */
function emptyFile(): string {
  const path = newFile()
  prepareFile(path)
  return path
}

const open = () => writerOf(emptyFile())

/** Has whoever writes to the file wait. @returns What ends that. */
function hold(path: string): () => void {
  const other = new DatabaseSync(path)
  other.exec('begin immediate')
  return () => other.close()
}

type WriterThread = ThreadClient<WriterCalls>

const store = (link: WriterThread, guid = 'g') => link.call('store', packed(parcel({ guid })))
/** A call that SQLite refuses. */
const fail = (link: WriterThread) => link.call('store', { ...packed(parcel()), event: null as never })
/** How many calls each message had. */
const messages = () =>
  post.mock.calls
    .map(([message]) => message as ToThread<WriterCalls>)
    .flatMap((message) => (typeof message === 'object' && 'calls' in message ? [message.calls.length] : []))
const outcomesOf = async (calls: Promise<unknown>[]) => (await Promise.allSettled(calls)).map(({ status }) => status)
/** The thread that was written to last. */
const lastThread = () => post.mock.contexts.at(-1) as Worker

describe('a link', () => {
  test('sends what is asked for in one turn together, and answers each', async () => {
    const link = open()
    const receipts = await Promise.all(['a', 'b', 'a'].map((guid) => store(link, guid)))
    expect(receipts).toEqual([
      { id: 1, outcome: 'stored', conflict: false },
      { id: 2, outcome: 'stored', conflict: false },
      { id: 1, outcome: 'duplicate', conflict: false },
    ])
    expect(messages()).toEqual([3])
  })

  test('sends what is asked for while a message is under way together in the next', async () => {
    const link = open()
    await store(link, 'first')
    const [second] = [store(link, 'second')]
    await new Promise((resolve) => setImmediate(resolve))
    const rest = ['third', 'fourth'].map((guid) => store(link, guid))
    await Promise.all([second, ...rest])
    expect(messages()).toEqual([1, 1, 2])
  })

  test('fails only the call that failed, with its codes', async () => {
    const link = open()
    const calls = [store(link, 'a'), fail(link), store(link, 'b')]
    expect(await outcomesOf(calls)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    await expect(calls[1]).rejects.toBeInstanceOf(Error)
    await expect(calls[1]).rejects.toMatchObject({ code: 'ERR_SQLITE_ERROR', errcode: 1299 })
    expect(messages()).toEqual([3])
    expect(await store(link, 'b')).toMatchObject({ outcome: 'duplicate' })
  })

  test('fails only the call that cannot be sent', async () => {
    const link = open()
    const calls = [store(link, 'a'), link.call('retry', (() => {}) as never), store(link, 'b')]
    expect(await outcomesOf(calls)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    await expect(calls[1]).rejects.toThrow(/could not be cloned/)
    await expect(link.call('retry', (() => {}) as never)).rejects.toThrow(/could not be cloned/)
    expect(await store(link, 'a')).toMatchObject({ outcome: 'duplicate' })
  })
})

describe('a thread that dies', () => {
  test('rejects what it was asked, and the next call has another', async () => {
    const link = open()
    await store(link, 'a')
    const first = lastThread()
    const lost = store(link, 'b')
    await first.terminate()
    await expect(lost).rejects.toThrow('The thread "hookserver writer" ended')
    expect(await store(link, 'a')).toMatchObject({ outcome: 'duplicate' })
    expect(lastThread()).not.toBe(first)
  })

  test('does not take with it what has not been sent yet', async () => {
    const path = emptyFile()
    const link = writerOf(path)
    await store(link, 'a')
    const release = hold(path)
    const lost = store(link, 'b')
    await new Promise((resolve) => setImmediate(resolve))
    const kept = store(link, 'c')
    const ended = lastThread().terminate()
    release()
    const [outcome] = await Promise.all([outcomesOf([lost]), ended])
    expect(outcome).toEqual(['rejected'])
    expect(await kept).toMatchObject({ outcome: 'stored' })
  })

  test('is told again what it has to know, before it is asked for anything', async () => {
    const path = emptyFile()
    const prelude = vi.fn((): Call<WriterCalls>[] => {
      return [{ method: 'pause', args: [`call ${prelude.mock.calls.length}`] }]
    })
    const program = new URL('../../src/sqlite/thread.ts', import.meta.url)
    const data = { ...settingsOf(path), role: 'writer' }
    const link = closedAtEnd(
      new ThreadClient<WriterCalls>({ program, name: 'writer', data, closedMessage: 'closed', prelude }),
    )
    await store(link)
    await lastThread().terminate()
    await store(link)
    await link.close()
    expect(prelude).toHaveBeenCalledTimes(2)
    expect(await maintenanceOf(path).call('overview')).toMatchObject({ paused: ['call 1', 'call 2'] })
  })

  test('because it could not begin says why, and another is tried with the next call', async () => {
    const path = join(folder(), 'missing', 'hookserver.db')
    const link = writerOf(path)
    await expect(store(link)).rejects.toThrow(/unable to open database file/)
    mkdirSync(dirname(path))
    prepareFile(path)
    expect(await store(link)).toMatchObject({ outcome: 'stored' })
  })
})

describe('closing', () => {
  test('answers what was asked for before, and nothing after', async () => {
    const link = open()
    await store(link, 'a')
    const sent = store(link, 'b')
    await new Promise((resolve) => setImmediate(resolve))
    const waiting = store(link, 'c')
    const closed = link.close()
    await expect(store(link, 'd')).rejects.toThrow('The inbox is closed')
    expect(await outcomesOf([sent, waiting, closed])).toEqual(['fulfilled', 'fulfilled', 'fulfilled'])
  })

  test('resolves once the thread has ended, however often it is asked to', async () => {
    const link = open()
    await store(link)
    const exited = vi.fn()
    lastThread().on('exit', exited)
    await Promise.all([link.close(), link.close()])
    expect(exited).toHaveBeenCalledTimes(1)
    await link.close()
  })

  test('lets the thread end by itself', async () => {
    const terminate = vi.spyOn(Worker.prototype, 'terminate')
    onTestFinished(() => terminate.mockRestore())
    const [writer, maintenance] = [open(), maintenanceOf(emptyFile())]
    await writer.call('lease', 'a', 'b', 1)
    await writer.close()
    await maintenance.call('overview')
    await maintenance.close()
    expect(terminate).not.toHaveBeenCalled()
  })

  test('does not wait for ever for a thread that something else keeps alive', async () => {
    const preload = `import { isMainThread } from 'node:worker_threads'; if (!isMainThread) setInterval(() => {}, 1000)`
    const program = `
      import { sqlite } from ${JSON.stringify(new URL('../../src/sqlite/index.ts', import.meta.url).href)}
      const inbox = sqlite(process.argv[1])
      await inbox.overview()
      await inbox.close()
      console.log('closed')`
    const args = ['--import', `data:text/javascript,${encodeURIComponent(preload)}`, '-e', program, newFile()]
    const child = spawn(process.execPath, ['--no-warnings', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
    expect([output, code]).toEqual(['closed\n', 0])
  })

  test('resolves where nothing was ever asked, and begins no thread', async () => {
    await open().close()
    expect(post).not.toHaveBeenCalled()
  })

  test('waits for what was asked for in the same turn', async () => {
    const link = open()
    const asked = store(link)
    await link.close()
    expect(await asked).toMatchObject({ outcome: 'stored' })
  })

  test('resolves though the thread dies over it', async () => {
    const path = emptyFile()
    const link = writerOf(path)
    await store(link)
    const release = hold(path)
    const asked = store(link, 'b')
    await new Promise((resolve) => setImmediate(resolve))
    const closed = link.close()
    void lastThread().terminate()
    release()
    expect(await outcomesOf([asked, closed])).toEqual(['rejected', 'fulfilled'])
  })

  test('leaves nothing unsaid: who stored last is acknowledged', async () => {
    const path = emptyFile()
    const writer = writerOf(path)
    const { id } = await store(writer)
    await writer.close()
    const keeper = maintenanceOf(path)
    expect(await keeper.call('get', id)).toMatchObject({ ackedAt: expect.any(Number) })
  })
})
