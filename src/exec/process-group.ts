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

  /** @returns Whether a process got the signal. False if no process is left, or if all belong to another user. */
  kill(): boolean {
    this.#killed = true
    return this.#send('SIGKILL') === 'sent'
  }

  /**
   * Call it after `end`. Resolves when no process is left, or when the remaining ones have been sent SIGKILL. A zombie
   * that init has not reaped yet counts as a process.
   */
  async gone(): Promise<void> {
    while (!this.#killed && this.#send(0) !== 'gone') await sleep(pollInterval)
    clearTimeout(this.#killTimer)
  }

  /** Stops tracking the group, so that its remaining processes continue when this process exits. */
  release(): void {
    running.delete(this)
    if (running.size === 0) process.off('exit', endAll)
  }

  /** @returns `denied` if all processes of the group belong to another user, for example after sudo. */
  #send(signal: NodeJS.Signals | 0): 'sent' | 'denied' | 'gone' {
    const { pid } = this.#child
    if (pid === undefined) return 'gone'
    if (process.platform === 'win32') return this.#child.kill(signal) ? 'sent' : 'gone'
    try {
      process.kill(-pid, signal)
      return 'sent'
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EPERM' ? 'denied' : 'gone'
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
