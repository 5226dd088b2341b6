import { readFileSync } from 'node:fs'

/** Linux reports CPU times to programs in hundredths of a second. */
const ticksPerSecond = 100

/**
 * CPU seconds so far of a process and its children, including children that have ended; undefined if the system has no
 * `/proc`.
 */
export function cpuOfTree(pid: number): number | undefined {
  const stat = statOf(pid)
  if (!stat) return undefined
  const ticks = stat.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) // utime, stime, cutime, cstime
  return childrenOf(pid).reduce((sum, child) => sum + (cpuOfTree(child) ?? 0), ticks / ticksPerSecond)
}

/** The fields of `/proc/<pid>/stat` from the third on. The second field, the name, may contain spaces. */
function statOf(pid: number): string[] | undefined {
  const stat = readOrNothing(`/proc/${pid}/stat`)
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
}

const childrenOf = (pid: number): number[] =>
  (readOrNothing(`/proc/${pid}/task/${pid}/children`) ?? '').trim().split(' ').filter(Boolean).map(Number)

/** The text of a file, or `undefined` if the file is missing, for example because its process has ended. */
function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
