import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleWorker, workerdArgs } from '../../test/runtimes/workerd.ts'
import { bench, push } from '../delivery.ts'
import { inTurns, median, ratioOf } from '../statistics.ts'
import { table } from '../table.ts'

const rounds = 15
const programs = {
  hookserver: { lambda: './lambda.js', worker: './worker.js' },
  '@octokit/webhooks': { lambda: '../rivals/octokit-lambda.js', worker: '../rivals/octokit-worker.js' },
}

/** Prints the time from the start of a process to its answer to the first delivery. */
export async function reportColdStart(): Promise<void> {
  console.log(`\nFrom the start of the process to the answer to the first delivery, medians of ${rounds}`)
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-bench-'))
  try {
    const lambda = await compared((name) => lambdaTime(programs[name].lambda))
    const bundles = new Map<Program, string>()
    for (const name of Object.keys(programs) as Program[]) {
      bundles.set(name, await bundleWorker(pathOf(programs[name].worker), join(folder, String(bundles.size))))
    }
    const worker = await compared((name) => workerTime(bundles.get(name) as string))
    const rows = [
      ...lambda.map(([name, ...times]) => [`Node.js, an AWS Lambda event: ${name}`, ...times]),
      ...worker.map(([name, ...times]) => [`workerd, a Worker: ${name}`, ...times]),
    ]
    console.log(table(['process', 'ms', '× octokit'], rows))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

type Program = keyof typeof programs
type Work = Record<Program, () => Promise<number>>

async function compared(timeOf: (name: Program) => number | Promise<number>): Promise<[Program, ...string[]][]> {
  const names = Object.keys(programs) as Program[]
  const work = Object.fromEntries(names.map((name) => [name, async () => timeOf(name)])) as Work
  await inTurns(1, work) // fills the caches of the file system
  const times = await inTurns(rounds, work)
  const rival = times['@octokit/webhooks']
  return names.map((name) => [name, median(times[name]).toFixed(1), ratioOf(times[name], rival).toFixed(2)])
}

const pathOf = (program: string) => fileURLToPath(new URL(program, import.meta.url))
const runtime = pathOf('./lambda-runtime.js')

function lambdaTime(program: string): number {
  const start = performance.timeOrigin + performance.now()
  const output = execFileSync(process.execPath, [runtime, new URL(program, import.meta.url).href, lambdaEvent()], {
    env: { ...process.env, GITHUB_WEBHOOKS_KEY: bench.secret },
  })
  const { status, at } = JSON.parse(output.toString()) as { status: number; at: number }
  if (status !== 200) throw new Error(`${program} answered ${status}`)
  return at - start
}

/** The push as API Gateway sends it, in format 2.0. */
function lambdaEvent(): string {
  const { method, headers, body } = push()
  const requestContext = { stage: '$default', http: { method, path: bench.path, sourceIp: '192.0.2.1' } }
  return JSON.stringify({ version: '2.0', rawPath: bench.path, headers, requestContext, body, isBase64Encoded: false })
}

async function workerTime(config: string): Promise<number> {
  const start = performance.now()
  const child = spawn('workerd', workerdArgs(config), { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  try {
    const [message] = (await once(child.stdout, 'data')) as [Buffer]
    const port = /"port":(\d+)/.exec(message.toString())?.[1]
    const answer = await fetch(`http://127.0.0.1:${port}${bench.path}`, push() as RequestInit)
    const text = await answer.text()
    if (answer.status !== 200) throw new Error(`The Worker answered ${answer.status}: ${text}`)
    return performance.now() - start
  } finally {
    child.kill('SIGKILL')
    await exited
  }
}
