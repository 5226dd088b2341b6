import { createHmac } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, vi } from 'vitest'
import { HookError } from '../../src/errors.ts'
import type { HashName, HookRequest } from '../../src/http.ts'
import type { HooksOptions } from '../../src/options.ts'
import { resolveOptions, type Settings } from '../../src/settings.ts'

/** The secret and the body of the example in GitHub's documentation, and the signatures of this body. */
export const documented = {
  secret: "It's a Secret to Everybody",
  body: 'Hello, World!',
  sha256: 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
  sha1: 'sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59',
}

export const MiB = 1024 * 1024

/** In milliseconds. */
export const second = 1000
export const minute = 60 * second
export const hour = 60 * minute
export const day = 24 * hour

/** The settings of a mount with these options. */
export function settingsOf(options: HooksOptions): Settings {
  return resolveOptions({ secret: documented.secret, logger: false }, options)
}

export function requestOf(parts: Partial<HookRequest>): HookRequest {
  const body = () => ({ bytes: new Uint8Array() })
  return { method: 'POST', path: '/hooks', headers: {}, address: undefined, native: [undefined], body, ...parts }
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** A signature header computed by Node.js, so that the tests do not rely on our own signing. */
export function signatureOf(key: string | Uint8Array, body: string | Uint8Array, algorithm: HashName = 'sha256') {
  return `${algorithm}=${createHmac(algorithm, key).update(body).digest('hex')}`
}

/** The `HookError` that `work` throws. */
export async function rejectionOf(work: () => unknown): Promise<HookError> {
  try {
    await work()
  } catch (error) {
    if (error instanceof HookError) return error
    throw error
  }
  throw new Error('Nothing was thrown')
}

/** Waits for one turn of the event loop. */
export const turnOfTheLoop = (): Promise<void> => setImmediate()

/** Stops the clock for the tests of a file. They advance it with `pass`. */
export function stopTheClock(...what: ('Date' | 'performance' | 'setTimeout' | 'clearTimeout')[]): void {
  beforeEach(() => void vi.useFakeTimers({ toFake: what }))
  afterEach(() => void vi.useRealTimers())
}

/** Advances the stopped clock, and runs the timers that are due. */
export const pass = (ms: number): void => void vi.advanceTimersByTime(ms)
