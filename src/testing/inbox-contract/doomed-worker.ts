import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { ClaimedTask, HandlerPolicy, Inbox } from '../../inbox/inbox.ts'

/** What a worker in a process of its own does. Can be written as JSON. */
export interface DoomedWork {
  /** All that it has. */
  handlers: readonly HandlerPolicy[]
  /** How many tasks it begins of each. */
  wanted: Readonly<Record<string, number>>
  /** Its handler blocks the event loop. */
  blocked?: boolean
}

/** A worker in a process of its own, which has begun and will not finish. */
export interface DoomedWorker {
  /** Its id. */
  worker: number
  claimed: readonly ClaimedTask[]
  /** Kills the process with SIGKILL, and resolves when it has ended. */
  kill(): Promise<void>
}

/** Milliseconds after which a process that is blocked ends by itself: whoever was to kill it is gone. */
const longest = 300_000

/** All that such a process does: enlists, begins what is due, says so, and goes on until it is killed. */
export async function workUntilKilled(inbox: Inbox, { handlers, wanted, blocked }: DoomedWork): Promise<void> {
  const worker = await inbox.registerWorker(handlers)
  const claimed = await inbox.claim(worker, wanted, Number.MAX_SAFE_INTEGER, Date.now())
  process.stdin.resume().on('end', () => process.exit()) // whoever was to kill it is gone
  process.stdout.write(`${JSON.stringify({ worker, claimed })}\n`, () => {
    if (blocked) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, longest)
  })
}

/** Starts a program that has `workUntilKilled` do its work. @returns once it has claimed. @throws if it ends before. */
export async function startDoomedWorker(file: string, args: readonly string[]): Promise<DoomedWorker> {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
  }
  for await (const line of createInterface({ input: child.stdout })) return { ...JSON.parse(line), kill }
  await kill()
  throw new Error(`${file} ${args.join(' ')} ended before it had begun its work`)
}
