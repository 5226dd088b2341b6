import { syncBuiltinESMExports } from 'node:module'
import worker, { MessageChannel, type MessagePort, type Worker, type WorkerOptions } from 'node:worker_threads'
import type { Message } from './reused-thread.ts'

/** The programs that a thread runs before another one replaces it: a thread keeps the modules of all its programs. */
const maxPrograms = 100

/**
 * Lets the programs of inboxes run in the threads of earlier inboxes. The start of a thread takes 60 ms of CPU, the start
 * of a program in a thread 6 ms. @returns a function that ends the threads, and gives each program a thread again.
 */
export function reuseThreads(): () => Promise<void> {
  const { Worker: RealWorker } = worker
  const threads = new Map<string, { thread: Worker; programs: number }>()

  /** Programs of different names have different threads, so that they run at the same time. */
  function threadFor(name: string): Worker {
    const known = threads.get(name)
    if (known && known.programs++ < maxPrograms) return known.thread
    known?.thread.postMessage('end' satisfies Message)
    const thread = new RealWorker(new URL('reused-thread.ts', import.meta.url), { name })
    thread.unref()
    threads.set(name, { thread, programs: 1 })
    return thread
  }

  /** @returns the members of `Worker` that `src/runtime/thread-client.ts` uses, which calls this function with `new`. */
  function startProgram(file: URL, { workerData, name = '' }: WorkerOptions): MessagePort {
    const { port1, port2 } = new MessageChannel()
    const program: Message = { file: file.href, workerData, parentPort: port2 }
    threadFor(name).postMessage(program, [port2])
    port1.on('close', () => port1.emit('exit', 0))
    return Object.assign(port1, { terminate: () => port1.close() })
  }

  worker.Worker = startProgram as never
  syncBuiltinESMExports()
  return async () => {
    worker.Worker = RealWorker
    syncBuiltinESMExports()
    for (const { thread } of threads.values()) await thread.terminate()
  }
}
