import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { startTimer } from '../runtime/timer.ts'
import type { FullLogger } from '../telemetry/logger.ts'
import type { Command } from './options.ts'
import { Output } from './output.ts'
import { ProcessGroup } from './process-group.ts'

/**
 * Maximum milliseconds to wait for the end of the output. The wait begins when the program has exited. After a stop,
 * the wait begins when the whole process group has ended or has been killed.
 */
export const drainTime = 1000

/** The part of a delivery that a run of a program needs. */
interface Run {
  env: Readonly<Record<string, string>>
  /** The text for the standard input of the program. */
  input: string
  signal: AbortSignal
  log: FullLogger
}

/**
 * Runs a program to its end.
 *
 * The program *runs* until it exits, or until its time limit or the signal *stops* it: its group gets SIGTERM and,
 * `killAfter` later, SIGKILL. Once the program has *exited*, it cannot be stopped any more. After a stop, this function
 * waits for the rest of the group, so that the group does not overlap with the next run. Then this function reads the
 * output to its end. If another process holds the output open for `drainTime` longer, this function kills the rest of
 * the group, and reads no more. A process that has left the group continues, and so does a daemon that has closed the
 * output.
 *
 * @returns The duration in milliseconds.
 * @throws {Error} if the program cannot be started, was stopped or killed, or exited with a code other than 0.
 */
export async function runProgram(command: Command, { env, input, signal, log }: Run): Promise<number> {
  const { name, timeout, killAfter } = command
  const startedAt = performance.now()
  const elapsed = () => Math.round(performance.now() - startedAt)
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
  child.stdin.on('error', () => {}) // a program that does not read the whole payload has not failed
  child.stdin.end(input)

  const [code, killedBy] = await exited
  const ms = elapsed()
  stopTimer?.()
  signal.removeEventListener('abort', abort)
  if (stopped) await group.gone()
  const stopDrain = startTimer(() => {
    const consequence = group.kill()
      ? `hookserver sent SIGKILL to the process group of ${name}`
      : 'hookserver does not kill it, because it has left the process group or belongs to another user'
    log.warn({}, `${name} exited, but a process that it started kept the output open: ${consequence}`)
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

/** Starts a program without a shell, in a process group of its own, which its child processes inherit. */
async function start(command: Command, env: Readonly<Record<string, string>>): Promise<ChildProcessWithoutNullStreams> {
  const { file, args, cwd } = command
  try {
    const detached = process.platform !== 'win32' // on Windows this would open a window
    const child = spawn(file, args, { cwd, env, shell: false, detached, windowsHide: true, stdio: 'pipe' })
    await once(child, 'spawn')
    child.on('error', () => {}) // a signal could not be sent; `ProcessGroup` handles that
    return child
  } catch (error) {
    const reason = await reasonFor(error as NodeJS.ErrnoException, command, env.PATH)
    throw new Error(`${command.name} could not be started: ${reason}`, { cause: error })
  }
}

/**
 * Why a program cannot be started, and how to fix it. The error of the system is ambiguous: `spawn deploy.sh ENOENT`
 * can mean that the program, its working directory or the interpreter in its first line does not exist.
 */
async function reasonFor(
  { code, message }: NodeJS.ErrnoException,
  { name, file, cwd }: Command,
  path = '',
): Promise<string> {
  const folder = await kindOf(cwd)
  if (folder === 'absent') return `its working directory ${cwd} does not exist`
  if (folder === 'file') return `its working directory ${cwd} is not a folder`
  if (!isAbsolute(file)) {
    if (code === 'ENOENT') return `PATH (${path}) has no ${name}. To run the file in ${cwd}, write "./${name}"`
    if (code === 'EACCES') return `the ${name} in PATH (${path}) is not executable: use chmod +x`
    return message
  }
  const kind = await kindOf(file)
  if (kind === 'absent') return `there is no ${file}${file === name ? '' : `. "${name}" is relative to ${cwd}`}`
  if (kind === 'folder') return `${file} is a folder`
  if (code === 'ENOENT') {
    return `the interpreter in the first line of ${file} does not exist, or the line ends in CR LF and the CR is taken as a part of the name`
  }
  if (code === 'ENOEXEC') {
    return `${file} is not a program for this system, and its first line does not name an interpreter (#!/bin/sh)`
  }
  if (code !== 'EACCES') return message
  try {
    await access(file, constants.X_OK)
    return `permission denied: the file system may be mounted with noexec, or the interpreter in the first line of ${file} is not executable`
  } catch {
    return `it is not executable: chmod +x ${file}`
  }
}

async function kindOf(path: string): Promise<'folder' | 'file' | 'absent'> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file'
  } catch {
    return 'absent'
  }
}

/**
 * The arguments of a child's event. Unlike `once()` of `node:events`, this function does not reject if the child emits
 * `error`.
 */
function eventOf(
  child: ChildProcessWithoutNullStreams,
  event: 'exit' | 'close',
): Promise<[number | null, string | null]> {
  return new Promise((resolve) => child.once(event, (code, signal) => resolve([code, signal])))
}

/** The message of an abort reason, which can be any value. */
export function textOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason)
}
