/** The half of a typed RPC that runs in a worker thread; `thread-client.ts` is the caller's half. */
import { type MessagePort, parentPort } from 'node:worker_threads'

// The type parameter `Served` is the object of synchronous functions that the thread serves.

export type MethodOf<Served> = keyof Served & string

export type ArgsOf<Served, Name extends keyof Served> = Served[Name] extends (...args: infer Args) => unknown
  ? Args
  : never

export type ResultOf<Served, Name extends keyof Served> = Served[Name] extends (...args: never[]) => infer Result
  ? Result
  : never

/** One call of a served function. */
export type Call<Served> = {
  [Name in MethodOf<Served>]: { method: Name; args: ArgsOf<Served, Name> }
}[MethodOf<Served>]

export type Answer = { value: unknown } | { error: CallError }

/** A thrown error, as the caller gets it. `errcode` is the result code of `node:sqlite`. */
export interface CallError {
  message: string
  code?: string
  errcode?: number
}

/** A prelude gets no answers. */
export type ToThread<Served> =
  | { calls: readonly Call<Served>[] }
  | { prelude: readonly Call<Served>[] }
  | { close: true }

/** The answers to one batch, an event that no call asked for, or the notice that the server is closed. */
export type FromThread = { answers: readonly Answer[] } | { event: unknown } | { closed: true }

export interface ThreadServer<Served> {
  /** Carries out a batch of calls. @returns the answers, in the order of the calls. */
  execute(calls: readonly Call<Served>[]): Answer[]
  /** Called once, before the first batch. @param send Sends an event to the caller. */
  sendEvents?(send: (event: unknown) => void): void
  /** Closes the resources that keep the thread alive. */
  close(): void | Promise<void>
}

/** Serves the thread that started this one, until that thread tells this one to close. */
export function serveThread<Served>(server: ThreadServer<Served>): void {
  const port = parentPort as MessagePort
  server.sendEvents?.((event) => port.postMessage({ event } satisfies FromThread))
  port.on('message', (message: ToThread<Served>) => {
    if ('calls' in message) {
      const answers = server.execute(message.calls)
      const buffers: ArrayBuffer[] = []
      for (const answer of answers) if ('value' in answer) addTransfer(buffers, answer.value)
      port.postMessage({ answers } satisfies FromThread, buffers)
    } else if ('prelude' in message) server.execute(message.prelude)
    else void close()
  })

  async function close(): Promise<void> {
    await server.close()
    port.postMessage({ closed: true } satisfies FromThread)
    port.close() // after `server.close()`, only the port keeps this thread alive
  }
}

/** Carries out calls one by one; a call that throws fails alone. */
export function executeEach<Served>(served: Served, calls: readonly Call<Served>[], afterEach?: () => void): Answer[] {
  return calls.map((call) => {
    try {
      return { value: invoke(served, call) }
    } catch (error) {
      return failure(error)
    } finally {
      afterEach?.()
    }
  })
}

export function invoke<Served>(served: Served, { method, args }: Call<Served>): unknown {
  return (served[method] as (...args: readonly unknown[]) => unknown)(...args)
}

export function failure(error: unknown): { error: CallError } {
  const { message, code, errcode } = error as CallError
  return { error: { message, ...(code !== undefined && { code }), ...(errcode !== undefined && { errcode }) } }
}

const transfers = new WeakMap<object, ArrayBuffer[]>()

/** Bytes below which a copy takes less time than a transfer. */
const minTransfer = 64 * 1024

/**
 * Marks byte arrays, so that sending `value` moves the large ones to the other thread instead of copying them. This
 * thread can no longer read them once `value` is sent.
 * @param value The argument or the result that contains the arrays.
 * @returns `value`.
 */
export function transfer<T extends object>(value: T, arrays: readonly Uint8Array[]): T {
  // An array that is only a part of its buffer is copied, because the rest of the buffer would move with it.
  const moved = arrays.filter((bytes) => bytes.length >= minTransfer && bytes.length === bytes.buffer.byteLength)
  if (moved.length > 0) {
    const buffers = moved.map(({ buffer }) => buffer as ArrayBuffer)
    transfers.set(value, buffers)
  }
  return value
}

/** Adds to `buffers` those that `transfer` marked for an argument or a result. */
export function addTransfer(buffers: ArrayBuffer[], value: unknown): void {
  const moved = typeof value === 'object' && value !== null ? transfers.get(value) : undefined
  if (moved) buffers.push(...moved)
}
