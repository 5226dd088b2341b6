import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { recordGoal } from '../goals.ts'
import { inTurns, median } from '../statistics.ts'
import { table } from '../table.ts'

const octokit = '@octokit/webhooks'
const both = 'hookserver and hookserver/node'

const modules: Record<string, string> = {
  nothing: '',
  'hookserver/node': "await import('hookserver/node')",
  [both]: "await import('hookserver'); await import('hookserver/node')",
  [octokit]: "await import('@octokit/webhooks')",
}

const rounds = 15
const bench = join(import.meta.dirname, '..')

/** Prints the time of an import in a new process. The process first imports `node:http`, which every server loads. */
export async function reportImports(): Promise<void> {
  console.log(`\nTime of an import in a new process, medians of ${rounds}, minus the time without an import`)
  const work = Object.entries(modules).map(([name, code]) => [name, async () => timeOf(code, name)] as const)
  const times = await inTurns(rounds, Object.fromEntries(work))
  const base = median(times.nothing as number[])
  const of = (name: string) => median(times[name] as number[]) - base
  const rows = Object.keys(modules)
    .filter((name) => name !== 'nothing')
    .map((name) => [name, of(name).toFixed(1), (of(name) / of(octokit)).toFixed(2)])
  console.log(table(['module', 'ms', '× octokit'], rows))
  recordGoal('importTime', of(both) / of(octokit))
}

function timeOf(code: string, name: string): number {
  const cwd = name === octokit ? join(bench, 'rivals') : bench
  const program = `await import('node:http'); const from = performance.now(); ${code}; console.log(performance.now() - from)`
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', program], { cwd }).toString())
}
