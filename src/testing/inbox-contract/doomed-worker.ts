import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { ClaimedTask, HandlerPolicy, TaskQueue } from '../../inbox/inbox.ts'

/** The work of a worker in its own process. Can be serialized as JSON. */
export interface DoomedWork {
  /** All handlers of the worker. */
  handlers: readonly HandlerPolicy[]
  /** Number of tasks to claim, by handler. */
  wanted: Readonly<Record<string, number>>
  /** Whether the process blocks its event loop after the tasks are claimed, as a handler can. */
  blocked?: boolean
}

/** A worker in its own process that has claimed tasks and will not finish them. */
export interface DoomedWorker {
  /** The id of the worker. */
  worker: number
  /** The tasks that the worker has claimed, and never ends. */
  claimed: readonly ClaimedTask[]
  /** Kills the process with SIGKILL, and resolves when it has ended. */
  kill(): Promise<void>
}

/** How long the process blocks at most, in milliseconds. Then it notices if its parent has ended without killing it. */
const longest = 300_000

/** Registers a worker, claims the due tasks, reports them, and waits to be killed. */
export async function workUntilKilled(inbox: TaskQueue, { handlers, wanted, blocked }: DoomedWork): Promise<void> {
  const worker = await inbox.registerWorker(handlers)
  const claimed = await inbox.claim(worker, { wanted, bytes: Number.MAX_SAFE_INTEGER, now: Date.now() })
  process.stdin.resume().on('end', () => process.exit()) // the parent has ended
  process.stdout.write(`${JSON.stringify({ worker, claimed })}\n`, () => {
    if (blocked) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, longest)
  })
}

/** Starts a program that runs `workUntilKilled`. Resolves when tasks are claimed. @throws if the program ends first. */
export async function startDoomedWorker(file: string, args: readonly string[]): Promise<DoomedWorker> {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
  }
  for await (const line of createInterface({ input: child.stdout })) return { ...JSON.parse(line), kill }
  await kill()
  throw new Error(`${file} ${args.join(' ')} ended before it claimed its tasks`)
}
