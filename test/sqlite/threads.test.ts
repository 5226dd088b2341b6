import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { GoneTasks } from '../../src/inbox/inbox.ts'
import { ThreadClient } from '../../src/runtime/thread-client.ts'
import type { Call, ToThread } from '../../src/runtime/thread-server.ts'
import { prepareFile } from '../../src/sqlite/connection/open.ts'
import type { EncodedDelivery } from '../../src/sqlite/delivery-store/store.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { resolveSqliteOptions } from '../../src/sqlite/options.ts'
import { type MaintenanceCalls, maintenanceThread, type WriterCalls, writerThread } from '../../src/sqlite/threads.ts'
import { MiB } from '../receiver/fixtures.ts'
import { encoded, folder, newDelivery, newFile, policy } from './engine.ts'

const post = vi.spyOn(Worker.prototype, 'postMessage')
afterEach(() => void post.mockClear())

function closedAtEnd<Served>(thread: ThreadClient<Served>): ThreadClient<Served> {
  onTestFinished(() => thread.close())
  return thread
}

const settingsOf = (path: string) => ({ path, ...resolveSqliteOptions({}) })
const writerOf = (path: string) => closedAtEnd(writerThread(settingsOf(path)))
const maintenanceOf = (path: string, prelude: () => Call<MaintenanceCalls>[] = () => []) => {
  return closedAtEnd(maintenanceThread(settingsOf(path), prelude, () => {}))
}

/** The file of an empty inbox. */
function emptyFile(): string {
  const path = newFile()
  prepareFile(path)
  return path
}

const open = () => writerOf(emptyFile())

/** Locks the file against writers. @returns a function that unlocks it. */
function hold(path: string): () => void {
  const other = new DatabaseSync(path)
  other.exec('begin immediate')
  return () => other.close()
}

type WriterThread = ThreadClient<WriterCalls>

const store = (thread: WriterThread, guid = 'g') => thread.call('store', encoded(newDelivery({ guid })))
/** A call that SQLite rejects. */
const fail = (thread: WriterThread) => thread.call('store', { ...encoded(newDelivery()), event: null as never })
/** The number of calls in each message. */
const messages = () =>
  post.mock.calls
    .map(([message]) => message as ToThread<WriterCalls>)
    .flatMap((message) => (typeof message === 'object' && 'calls' in message ? [message.calls.length] : []))
const outcomesOf = async (calls: Promise<unknown>[]) => (await Promise.allSettled(calls)).map(({ status }) => status)
/** The thread that the last message was sent to. */
const lastThread = () => post.mock.contexts.at(-1) as Worker

describe('a thread client', () => {
  test('sends the calls of one turn of the event loop in one batch, and answers each', async () => {
    const thread = open()
    const receipts = await Promise.all(['a', 'b', 'a'].map((guid) => store(thread, guid)))
    expect(receipts).toEqual([
      { id: 1, outcome: 'stored', conflict: false },
      { id: 2, outcome: 'stored', conflict: false },
      { id: 1, outcome: 'duplicate', conflict: false },
    ])
    expect(messages()).toEqual([3])
  })

  test('sends calls that arrive during a batch in the next batch', async () => {
    const thread = open()
    await store(thread, 'first')
    const [second] = [store(thread, 'second')]
    await new Promise((resolve) => setImmediate(resolve))
    const rest = ['third', 'fourth'].map((guid) => store(thread, guid))
    await Promise.all([second, ...rest])
    expect(messages()).toEqual([1, 1, 2])
  })

  test('sends large deliveries apart from other calls, in turn with them, and some of them together', async () => {
    const thread = open()
    const large = (size: number) => {
      const content = new Uint8Array(size * MiB)
      return thread.call('store', { ...encoded(newDelivery()), content, sha256: new Uint8Array(32) })
    }
    await store(thread)
    const calls = [large(1), store(thread), large(3), store(thread), large(1)]
    await new Promise((resolve) => setImmediate(resolve)) // the small calls are under way
    await Promise.all([...calls, store(thread)])
    expect(messages()).toEqual([1, 2, 2, 1, 1])
    const sent = post.mock.calls.map(([message]) => (message as { calls: Call<WriterCalls>[] }).calls)
    const sizes = sent.map((batch) => batch.map((call) => (call.args[0] as EncodedDelivery).content.length))
    expect(sizes[2]).toEqual([MiB, 3 * MiB])
    expect(sizes[4]).toEqual([MiB])
  })

  test('computes the arguments of a late call when it sends the call', async () => {
    const thread = open()
    const guids = ['first']
    const late = thread.callLater('store', (): [EncodedDelivery] => [encoded(newDelivery({ guid: guids.join() }))])
    guids.push('second')
    expect(await late).toMatchObject({ outcome: 'stored' })
    expect(await store(thread, 'first,second')).toMatchObject({ outcome: 'duplicate' })
    await thread.close()
    await expect(thread.callLater('store', (): [EncodedDelivery] => [encoded(newDelivery())])).rejects.toThrow(
      'The inbox is closed',
    )
  })

  test('computes the arguments of a late call once, even if the batch cannot be sent', async () => {
    const thread = open()
    const makeArgs = vi.fn((): [string] => ['handler'])
    const late = thread.callLater('pause', makeArgs)
    await expect(thread.call('retry', (() => {}) as never)).rejects.toThrow(/could not be cloned/)
    await late
    expect(makeArgs).toHaveBeenCalledTimes(1)
  })

  test('fails only the call that failed, with its codes', async () => {
    const thread = open()
    const calls = [store(thread, 'a'), fail(thread), store(thread, 'b')]
    expect(await outcomesOf(calls)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    await expect(calls[1]).rejects.toBeInstanceOf(Error)
    await expect(calls[1]).rejects.toMatchObject({ code: 'ERR_SQLITE_ERROR', errcode: 1299 })
    expect(messages()).toEqual([3])
    expect(await store(thread, 'b')).toMatchObject({ outcome: 'duplicate' })
  })

  test('fails only the call that cannot be sent', async () => {
    const thread = open()
    const calls = [store(thread, 'a'), thread.call('retry', (() => {}) as never), store(thread, 'b')]
    expect(await outcomesOf(calls)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    await expect(calls[1]).rejects.toThrow(/could not be cloned/)
    await expect(thread.call('retry', (() => {}) as never)).rejects.toThrow(/could not be cloned/)
    expect(await store(thread, 'a')).toMatchObject({ outcome: 'duplicate' })
  })
})

describe('a thread that dies', () => {
  test('rejects its batch, and the next call starts another thread', async () => {
    const path = emptyFile()
    const thread = writerOf(path)
    await store(thread, 'a')
    const first = lastThread()
    const release = hold(path) // so that the thread cannot answer before it ends
    const lost = store(thread, 'b')
    await new Promise((resolve) => setImmediate(resolve))
    const ended = first.terminate()
    release()
    await expect(lost).rejects.toThrow('The thread "hookserver writer" ended')
    await ended
    expect(await store(thread, 'a')).toMatchObject({ outcome: 'duplicate' })
    expect(lastThread()).not.toBe(first)
  })

  test('does not reject calls that were not sent yet', async () => {
    const path = emptyFile()
    const thread = writerOf(path)
    await store(thread, 'a')
    const release = hold(path)
    const lost = store(thread, 'b')
    await new Promise((resolve) => setImmediate(resolve))
    const kept = store(thread, 'c')
    const ended = lastThread().terminate()
    release()
    const [outcome] = await Promise.all([outcomesOf([lost]), ended])
    expect(outcome).toEqual(['rejected'])
    expect(await kept).toMatchObject({ outcome: 'stored' })
  })

  test('is replaced by a thread that runs the prelude first', async () => {
    const path = emptyFile()
    const prelude = vi.fn((): Call<WriterCalls>[] => {
      return [{ method: 'pause', args: [`call ${prelude.mock.calls.length}`] }]
    })
    const program = new URL('../../src/sqlite/thread.ts', import.meta.url)
    const data = { ...settingsOf(path), role: 'writer' }
    const thread = closedAtEnd(
      new ThreadClient<WriterCalls>({ program, name: 'writer', data, closedMessage: 'closed', prelude }),
    )
    await store(thread)
    await lastThread().terminate()
    await store(thread)
    await thread.close()
    expect(prelude).toHaveBeenCalledTimes(2)
    expect(await maintenanceOf(path).call('overview')).toMatchObject({ paused: ['call 1', 'call 2'] })
  })

  test('because it could not start rejects with the cause, and the next call starts another thread', async () => {
    const path = join(folder(), 'missing', 'hookserver.db')
    const thread = writerOf(path)
    await expect(store(thread)).rejects.toThrow(/unable to open database file/)
    mkdirSync(dirname(path))
    prepareFile(path)
    expect(await store(thread)).toMatchObject({ outcome: 'stored' })
  })
})

describe('closing', () => {
  test('answers earlier calls, and rejects later ones', async () => {
    const thread = open()
    await store(thread, 'a')
    const sent = store(thread, 'b')
    await new Promise((resolve) => setImmediate(resolve))
    const waiting = store(thread, 'c')
    const closed = thread.close()
    await expect(store(thread, 'd')).rejects.toThrow('The inbox is closed')
    expect(await outcomesOf([sent, waiting, closed])).toEqual(['fulfilled', 'fulfilled', 'fulfilled'])
  })

  test('resolves once the thread has ended, however often it is called', async () => {
    const thread = open()
    await store(thread)
    const exited = vi.fn()
    lastThread().on('exit', exited)
    await Promise.all([thread.close(), thread.close()])
    expect(exited).toHaveBeenCalledTimes(1)
    await thread.close()
  })

  test('does not terminate a thread that ends', async () => {
    const terminate = vi.spyOn(Worker.prototype, 'terminate')
    onTestFinished(() => terminate.mockRestore())
    const [writer, maintenance] = [open(), maintenanceOf(emptyFile())]
    await writer.call('lease', 'a', 'b', 1)
    await writer.close()
    await maintenance.call('overview')
    await maintenance.close()
    expect(terminate).not.toHaveBeenCalled()
  })

  test('terminates a thread that another module keeps alive', async () => {
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

  test('resolves without any calls, and starts no thread', async () => {
    await open().close()
    expect(post).not.toHaveBeenCalled()
  })

  test('waits for calls of the same turn of the event loop', async () => {
    const thread = open()
    const asked = store(thread)
    await thread.close()
    expect(await asked).toMatchObject({ outcome: 'stored' })
  })

  test('resolves if the thread dies meanwhile', async () => {
    const path = emptyFile()
    const thread = writerOf(path)
    await store(thread)
    const release = hold(path)
    const asked = store(thread, 'b')
    await new Promise((resolve) => setImmediate(resolve))
    const closed = thread.close()
    void lastThread().terminate()
    release()
    expect(await outcomesOf([asked, closed])).toEqual(['rejected', 'fulfilled'])
  })

  test('records when the latest delivery was acknowledged', async () => {
    const path = emptyFile()
    const writer = writerOf(path)
    const { id } = await store(writer)
    await writer.close()
    const keeper = maintenanceOf(path)
    expect(await keeper.call('get', id)).toMatchObject({ ackedAt: expect.any(Number) })
  })
})

test('a worker that could not be registered sends no heartbeats, even after the thread has died', async () => {
  const inbox = sqlite(newFile())
  onTestFinished(() => inbox.close())
  const call = vi.spyOn(ThreadClient.prototype, 'call')
  onTestFinished(() => call.mockRestore())
  call.mockImplementationOnce(async () => 7).mockRejectedValueOnce(new Error('The thread ended'))
  await expect(inbox.registerWorker([])).rejects.toThrow('The thread ended')
  await inbox.overview()
  expect(post.mock.calls.map(([message]) => message)).toContainEqual({ prelude: [] })
})

test('the maintenance thread reports the tasks that it has ended as gone', async () => {
  const inbox = sqlite(newFile(), { heartbeat: '20ms', vanishAfter: '1ms' })
  onTestFinished(() => inbox.close())
  const { id } = await inbox.store(newDelivery())
  const gone = Promise.withResolvers<GoneTasks>()
  const worker = await inbox.registerWorker([policy('a')], undefined, gone.resolve)
  const tasks = [{ handler: 'removed', claim: false }]
  await inbox.match(worker, { limit: 1, bytes: 1e6, ordered: false, now: Date.now() }, () => [
    { id, summary: {}, tasks },
  ])
  expect(await gone.promise).toEqual({ handler: 'removed', count: 1 })
  expect((await inbox.get(id))?.reason).toContain('removed ended as gone')
})
