import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** A process, told from all others that ever had its number. */
export interface ProcessIdentity {
  host: string
  pid: number
  /** Where process numbers mean the same: the boot of the machine, and the container. Linux only. */
  realm?: string | undefined
  /** When it started, in ticks since the boot. Linux only. */
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

/** Whether a process has ended for certain; if in doubt it lives, and its heartbeats decide. */
export function hasEnded(other: ProcessIdentity, own: ProcessIdentity): boolean {
  if (other.realm === undefined || other.realm !== own.realm) return false
  const stat = statOf(other.pid)
  return stat === undefined || stat.started !== other.started || stat.state === 'Z' || stat.state === 'X'
}

/** From `/proc/<pid>/stat`; the name before these fields may hold anything (proc_pid_stat(5)). */
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
