import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds between checks of an ending group: the system does not report when the last grandchild exits. */
const pollInterval = 20

/**
 * A program, and the processes that it started and that stayed in its process group. Windows has no process groups:
 * there, the group is the program alone.
 *
 * `end` sends SIGTERM, and SIGKILL if that does not help. The group may outlive the program. The system does not reuse
 * the number of the group while a process is left in the group.
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
   * Call it after `end`. Resolves when no process is left, or when the remaining ones have been sent SIGKILL. A zombie
   * that init has not reaped yet counts as a process.
   */
  async gone(): Promise<void> {
    while (!this.#killed && this.#send(0)) await sleep(pollInterval)
    clearTimeout(this.#killTimer)
  }

  /** Stops tracking the group, so that its remaining processes continue when this process exits. */
  release(): void {
    running.delete(this)
    if (running.size === 0) process.off('exit', endAll)
  }

  /** @returns Whether a process of the group is left, even if it belongs to another user and gets no signal. */
  #send(signal: NodeJS.Signals | 0): boolean {
    const { pid } = this.#child
    if (pid === undefined) return false
    if (process.platform === 'win32') return this.#child.kill(signal)
    try {
      return process.kill(-pid, signal)
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EPERM' // a process of another user, for example after sudo
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
    else group.end(0) // sends only SIGTERM: timers no longer run
  }
}
