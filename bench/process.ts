/** A contestant in a process of its own. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Name } from './contestants.ts'
import { bench } from './delivery.ts'

export interface Usage {
  /** CPU seconds, user and system. */
  cpu: number
  /** The most bytes that were resident. */
  peak: number
}

export class Contestant {
  readonly url: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.url = `http://127.0.0.1:${port}${bench.path}`
  }

  static async start(name: Name): Promise<Contestant> {
    const child = fork(new URL('./serve.ts', import.meta.url), [name])
    const [{ port }] = (await once(child, 'message')) as [{ port: number }]
    return new Contestant(child, port)
  }

  async usage(): Promise<Usage> {
    this.#child.send('usage')
    const [usage] = (await once(this.#child, 'message')) as [Usage]
    return usage
  }

  async stop(): Promise<void> {
    this.#child.disconnect()
    await once(this.#child, 'exit')
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}
