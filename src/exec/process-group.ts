import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds between checks of an ending group: the system does not report when the last grandchild exits. */
const pollInterval = 20

/**
 * A program, and the processes that it started and that stayed in its process group. Windows has no process groups:
 * there, the group is the program alone.
 *
 * `end` sends SIGTERM, and SIGKILL if that does not help. The group may outlive the program; the system does not reuse
 * its number while a process is left in it.
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

  /** Sends SIGTERM, and kills the remaining processes `killAfter` milliseconds later. */
  end(killAfter: number): void {
    this.#send('SIGTERM')
    this.#killTimer = setTimeout(() => this.kill(), killAfter) // keeps this process alive until then
  }

  /** Whether `end` was called. */
  get ending(): boolean {
    return this.#killTimer !== undefined
  }

  kill(): void {
    this.#killed = true
    this.#send('SIGKILL')
  }

  /**
   * After `end`: resolves when no process is left, or the remaining ones were killed. A zombie that init has not reaped
   * yet counts as a process.
   */
  async gone(): Promise<void> {
    while (!this.#killed && this.#send(0)) await sleep(pollInterval)
    clearTimeout(this.#killTimer)
  }

  /** Stops tracking the group: remaining processes may continue. */
  release(): void {
    running.delete(this)
    if (running.size === 0) process.off('exit', endAll)
  }

  /** @returns Whether there is a process that can receive the signal. */
  #send(signal: NodeJS.Signals | 0): boolean {
    const { pid } = this.#child
    if (pid === undefined) return false
    if (process.platform === 'win32') return this.#child.kill(signal)
    try {
      return process.kill(-pid, signal)
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EPERM' // another user's, for example through sudo
    }
  }
}

/**
 * Groups to end with this process. Their programs would otherwise continue, because they do not notice that this
 * process exits.
 */
const running = new Set<ProcessGroup>()

function endAll(): void {
  for (const group of running) {
    if (group.ending) group.kill()
    else group.end(0) // timers no longer run
  }
}
