import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { startTimer } from '../runtime/timer.ts'
import type { FullLogger } from '../telemetry/logger.ts'
import type { Command } from './options.ts'
import { Output } from './output.ts'
import { ProcessGroup } from './process-group.ts'
import { startFailure } from './start-failure.ts'

/** Milliseconds after a program's exit that the end of its output is waited for, while others hold it open. */
export const drainTime = 1000

/** What a program is given for one delivery. */
export interface Run {
  env: Readonly<Record<string, string>>
  /** For its standard input. */
  input: string
  signal: AbortSignal
  log: FullLogger
}

/**
 * Runs a program to its end.
 *
 * It *runs* until it exits by itself, or until it is *stopped*, by its time limit or by the signal: its group is told to
 * end and, `killAfter` later, killed. Once it has *exited* nothing stops it any more. If it was stopped, the rest of its
 * group is waited for, so that the next run does not meet it. Then its output is read to the end. If that does not come
 * in time, somebody in the background holds it open, and the rest of the group is killed. Who let go of the output, as
 * a daemon does, lives on.
 *
 * @returns How long it ran, in milliseconds.
 * @throws {Error} if it could not be started, was stopped, or exited with anything but 0.
 */
export async function runProgram(command: Command, { env, input, signal, log }: Run): Promise<number> {
  const { name, timeout, killAfter } = command
  const begun = performance.now()
  const elapsed = () => Math.round(performance.now() - begun)
  const child = await start(command, env)
  const group = new ProcessGroup(child)
  const output = new Output(log)
  let stopped: Error | undefined
  const stop = (why: string, cause?: unknown) => {
    if (stopped) return
    stopped = new Error(`${name} was ended after ${elapsed()} ms: ${why}`, { cause })
    group.end(killAfter)
  }
  const abort = () => stop(textOf(signal.reason), signal.reason)
  const stopTimer = timeout ? startTimer(() => stop(`its "timeout" is ${timeout} ms`), timeout) : undefined
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()

  const [exited, closed] = [eventOf(child, 'exit'), eventOf(child, 'close')]
  child.stdout.on('data', (chunk: Uint8Array) => output.stdout.write(chunk))
  child.stderr.on('data', (chunk: Uint8Array) => output.stderr.write(chunk))
  child.stdin.on('error', () => {}) // who does not read the payload, or not all of it, has not failed
  child.stdin.end(input)

  const [code, killedBy] = await exited
  const ms = elapsed()
  stopTimer?.()
  signal.removeEventListener('abort', abort)
  if (stopped) await group.gone()
  const stopDrain = startTimer(() => {
    log.warn({}, `${name} has exited, but left behind what held its output open: that was killed`)
    group.kill()
    child.stdout.destroy()
    child.stderr.destroy()
  }, drainTime)
  await closed
  stopDrain()
  group.release()
  output.end()

  if (stopped) throw new Error(stopped.message + output.quote(), { cause: stopped.cause })
  if (code === 0) return ms
  throw new Error(
    `${name} ${code === null ? `was killed by ${killedBy}` : `exited with ${code}`} after ${ms} ms${output.quote()}`,
  )
}

/** Without a shell, in a process group of its own, which all that it starts belongs to. */
async function start(command: Command, env: Readonly<Record<string, string>>): Promise<ChildProcessWithoutNullStreams> {
  const { file, args, cwd } = command
  try {
    const detached = process.platform !== 'win32' // where it would mean a window
    const child = spawn(file, args, { cwd, env, shell: false, detached, windowsHide: true, stdio: 'pipe' })
    await once(child, 'spawn')
    child.on('error', () => {}) // a signal that could not be sent, of which its sender knows
    return child
  } catch (error) {
    throw await startFailure(error as NodeJS.ErrnoException, command, env.PATH)
  }
}

/** What an event of a child comes with. */
function eventOf(
  child: ChildProcessWithoutNullStreams,
  event: 'exit' | 'close',
): Promise<[number | null, string | null]> {
  return new Promise((resolve) => child.once(event, (code, signal) => resolve([code, signal])))
}

/** Why a signal aborted; anybody may have given anything as its reason. */
export function textOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason)
}
