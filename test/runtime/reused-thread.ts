/** The program of the threads of `reused-threads.ts`, which runs the programs that `Program` describes. */
import { syncBuiltinESMExports } from 'node:module'
import worker, { type MessagePort } from 'node:worker_threads'

/** A program to run in this thread. */
export interface Program {
  file: string
  workerData: unknown
  /** The `parentPort` of the program. */
  parentPort: MessagePort
}

/** `end` tells the thread to end after its programs. */
export type Message = Program | 'end'

process.exit = (() => undefined) as typeof process.exit // the program of the PostgreSQL inbox ends its thread

let programs = 0
let earlier: Promise<unknown> = Promise.resolve()

const { parentPort } = worker
parentPort?.on('message', (message: Message) => {
  if (message === 'end') parentPort.close()
  else earlier = earlier.then(() => run(message)) // one after the other, because they read the same two variables
})

async function run({ file, ...variables }: Program): Promise<void> {
  Object.assign(worker, variables)
  syncBuiltinESMExports()
  await import(`${file}?program=${++programs}`)
}
