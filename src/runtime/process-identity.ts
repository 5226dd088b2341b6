import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** Identifies a process. The process id is not enough, because an earlier process may have had the same process id. */
export interface ProcessIdentity {
  host: string
  pid: number
  /**
   * The id of the machine's current boot, and the id of the process's PID namespace. Each container has a PID namespace
   * of its own. Process ids are comparable only within one realm. Linux only.
   */
  realm?: string | undefined
  /** Start time, in ticks since the boot. Linux only. */
  started?: string | undefined
}

export function ownIdentity(): ProcessIdentity {
  const host = hostname()
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const realm = `${boot} ${readlinkSync('/proc/self/ns/pid')}`
    return { host, pid: process.pid, realm, started: statOf(process.pid)?.started }
  } catch {
    return { host, pid: process.pid }
  }
}

/** Whether a process has certainly ended. If the result is `false`, it may have ended nevertheless. */
export function hasEnded(other: ProcessIdentity, own: ProcessIdentity): boolean {
  if (other.realm === undefined || other.realm !== own.realm) return false
  const stat = statOf(other.pid)
  return stat === undefined || stat.started !== other.started || stat.state === 'Z' || stat.state === 'X'
}

/**
 * Reads the state and the start time of a process from `/proc/<pid>/stat`. Counts the fields from the last parenthesis,
 * because the name before it may contain any character (proc_pid_stat(5)).
 * @returns `undefined` if there is no such process.
 */
function statOf(pid: number): { state: string; started: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0] as string, started: fields[19] as string }
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}
