import { execFileSync } from 'node:child_process'
import { median } from './process.ts'

const modules: Record<string, string> = {
  nothing: '',
  'hookserver/node': "await import('hookserver/node')",
  'hookserver and hookserver/node': "await import('hookserver'); await import('hookserver/node')",
  '@octokit/webhooks': "await import('./rivals/node_modules/@octokit/webhooks/dist-bundle/index.js')",
}

/** Milliseconds that an import takes in a fresh process, inside `node:http` that every server loads. */
export async function importTimes(): Promise<Map<string, number>> {
  const times = new Map(Object.keys(modules).map((name) => [name, [] as number[]]))
  for (let round = 0; round < 15; round++) {
    for (const [name, code] of Object.entries(modules)) times.get(name)?.push(timeOf(code))
  }
  const base = median(times.get('nothing') as number[])
  times.delete('nothing')
  return new Map([...times].map(([name, list]) => [name, median(list) - base]))
}

function timeOf(code: string): number {
  const program = `await import('node:http'); const from = performance.now(); ${code}; console.log(performance.now() - from)`
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], { cwd: import.meta.dirname })
  return Number(output.toString())
}
