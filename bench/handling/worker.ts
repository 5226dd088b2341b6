import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { cpuOfTree } from '../process-tree.ts'
import { definitionOf, type Name } from './contestants.ts'
import type { Commands } from './program.ts'

/** A process that runs `program.ts`. */
export class Worker {
  readonly #child: ChildProcess
  readonly #name: Name

  static async start(name: Name, target: string): Promise<Worker> {
    const program = fileURLToPath(new URL('./program.ts', import.meta.url))
    const { runtime = process.execPath } = definitionOf(name)
    const worker = new Worker(name, fork(program, [name, target], { execPath: runtime, execArgv: [] }))
    await worker.#answer()
    return worker
  }

  private constructor(name: Name, child: ChildProcess) {
    this.#name = name
    this.#child = child
  }

  /** One call at a time. */
  async call<Command extends keyof Commands>(
    command: Command,
    ...args: Parameters<Commands[Command]>
  ): Promise<Awaited<ReturnType<Commands[Command]>>> {
    this.#child.send([command, ...args])
    return (await this.#answer()) as Awaited<ReturnType<Commands[Command]>>
  }

  /** CPU seconds so far; undefined if the system has no `/proc`. */
  cpu(): number | undefined {
    return cpuOfTree(this.#child.pid as number)
  }

  async stop(): Promise<void> {
    if (!this.#child.connected) return // it has ended
    const exited = once(this.#child, 'exit')
    this.#child.disconnect()
    await exited
  }

  /** @throws {Error} if the process ends. */
  async #answer(): Promise<unknown> {
    const waiting = new AbortController()
    const ended = once(this.#child, 'exit', waiting).then(() => {
      throw new Error(`A process of ${this.#name} ended`)
    })
    const [{ result }] = (await Promise.race([once(this.#child, 'message', waiting), ended])) as [{ result: unknown }]
    ended.catch(() => {})
    waiting.abort()
    return result
  }
}
