import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds between looks at a group that was told to end: nothing tells when the last grandchild is gone. */
const lookEvery = 20

/**
 * A program and what it started, as far as that stayed in its process group. Windows has no such groups: there it is
 * the program alone.
 *
 * It is *told* to end (SIGTERM), and *killed* (SIGKILL) if that does not help. The group may outlive the program, and
 * its number is not given to another while anybody is left in it.
 */
export class ProcessGroup {
  readonly #child: ChildProcess
  #killTimer: NodeJS.Timeout | undefined
  #killed = false

  constructor(child: ChildProcess) {
    this.#child = child
    if (running.size === 0) process.on('exit', endAll)
    running.add(this)
  }

  /** Tells it to end, and kills what is left of it `killAfter` milliseconds later. */
  end(killAfter: number): void {
    this.#send('SIGTERM')
    this.#killTimer = setTimeout(() => this.kill(), killAfter) // keeps this process alive: it must not be forgotten
  }

  /** Whether it was told to end. */
  get told(): boolean {
    return this.#killTimer !== undefined
  }

  kill(): void {
    this.#killed = true
    this.#send('SIGKILL')
  }

  /**
   * Once it was told to end: resolves when nobody is left, or those who were are killed. One who is dead, and whom the
   * system's first process has not collected yet, counts as left.
   */
  async gone(): Promise<void> {
    while (!this.#killed && this.#send(0)) await sleep(lookEvery)
    clearTimeout(this.#killTimer)
  }

  /** Lets it be: what is left of it may live on. */
  release(): void {
    running.delete(this)
    if (running.size === 0) process.off('exit', endAll)
  }

  /** @returns Whether anybody is there to get it. */
  #send(signal: NodeJS.Signals | 0): boolean {
    const { pid } = this.#child
    if (pid === undefined) return false
    if (process.platform === 'win32') return this.#child.kill(signal)
    try {
      return process.kill(-pid, signal)
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EPERM' // somebody else's, of sudo for one; else nobody
    }
  }
}

/** Groups whose end somebody awaits. In groups of their own, they would not notice that this process is gone. */
const running = new Set<ProcessGroup>()

function endAll(): void {
  for (const group of running) {
    if (group.told) group.kill()
    else group.end(0) // no timer fires any more
  }
}
