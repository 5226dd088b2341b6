import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** Identifies a process, also among earlier ones with the same process id. */
export interface ProcessIdentity {
  host: string
  pid: number
  /** Process ids are comparable within one boot of the machine and one container. Linux only. */
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

/** Whether a process has certainly ended. If that is unknown, its heartbeats decide. */
export function hasEnded(other: ProcessIdentity, own: ProcessIdentity): boolean {
  if (other.realm === undefined || other.realm !== own.realm) return false
  const stat = statOf(other.pid)
  return stat === undefined || stat.started !== other.started || stat.state === 'Z' || stat.state === 'X'
}

/** Reads `/proc/<pid>/stat`. The name before these fields may contain any character (proc_pid_stat(5)). */
function statOf(pid: number): { state: string; started: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0] as string, started: fields[19] as string }
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT' || (error as { code?: string }).code === 'ESRCH')
      return undefined
    throw error
  }
}
