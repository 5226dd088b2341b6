/** Builds, starts and stops an application with the scripts of its package.json, as its user would. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from '../free-port.ts'

export const secret = 'my_secret_key'
/** Milliseconds, long enough for a busy machine. */
const timeouts = { build: 300_000, start: 120_000, stop: 15_000 }
const pollInterval = 50
const root = join(import.meta.dirname, '../..')

const running = new Set<ChildProcess>()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.once('exit', () => {
  for (const child of running) signalGroup(child, 'SIGKILL')
})

export class Application {
  readonly #folder: string
  readonly #scripts: { build?: string; dev?: string; start: string }
  #process: ChildProcess | undefined
  /** All output of the build and of the server. */
  output = ''
  origin = ''

  constructor(folder: string) {
    this.#folder = join(import.meta.dirname, folder)
    this.#scripts = JSON.parse(readFileSync(join(this.#folder, 'package.json'), 'utf8')).scripts
  }

  /** @throws {Error} if the build fails. */
  async build(): Promise<void> {
    if (!this.#scripts.build) return
    const build = this.#run(this.#scripts.build, {})
    const timer = setTimeout(() => signalGroup(build, 'SIGKILL'), timeouts.build)
    const [code] = await once(build, 'close')
    clearTimeout(timer)
    if (code !== 0) throw new Error(`${this.#scripts.build}: exit code ${code}`)
  }

  /** Resolves when the server accepts connections. @throws {Error} if the server ends before, or takes too long. */
  async start(name: 'start' | 'dev' = 'start'): Promise<void> {
    const port = await freePort()
    this.origin = `http://127.0.0.1:${port}`
    const script = this.#scripts[name] ?? ''
    const child = this.#run(script, {
      ...{ PORT: String(port), HOST: '127.0.0.1', GITHUB_WEBHOOKS_KEY: secret, HOOK_RANGES: '127.0.0.1' },
      ...(name === 'dev' && { NODE_ENV: 'development' }),
    })
    this.#process = child
    const deadline = Date.now() + timeouts.start
    while (!(await accepts(port))) {
      const end = child.exitCode ?? child.signalCode
      if (end !== null) throw new Error(`${script}: ended with ${end}`)
      if (Date.now() > deadline) throw new Error(`${script}: no server on port ${port}`)
      await wait(pollInterval)
    }
  }

  /** Stops the server as a process manager does. @throws {Error} if the server does not end in time. */
  async stop(): Promise<void> {
    const child = this.#process
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const closed = once(child, 'close') // which waits for the children of the shell too
    let killed = false
    const timer = setTimeout(() => {
      killed = true
      signalGroup(child, 'SIGKILL')
    }, timeouts.stop)
    signalGroup(child, 'SIGTERM')
    await closed
    clearTimeout(timer)
    if (killed) throw new Error('the server does not end after SIGTERM')
  }

  #run(script: string, env: Record<string, string>): ChildProcess {
    const bins = [this.#folder, import.meta.dirname, root].map((folder) => join(folder, 'node_modules/.bin'))
    const child = spawn('/bin/sh', ['-c', script], {
      cwd: this.#folder,
      env: {
        ...{ HOME: process.env.HOME, TMPDIR: process.env.TMPDIR, NODE_ENV: 'production', NO_COLOR: '1', CI: '1' },
        ...{ PATH: [...bins, process.env.PATH].join(delimiter), ...noTelemetry, ...env },
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // a group of its own, which can be killed with all children
    })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (this.output += text))
    running.add(child)
    child.once('close', () => running.delete(child))
    return child
  }
}

const noTelemetry = {
  ...{ NEXT_TELEMETRY_DISABLED: '1', ASTRO_TELEMETRY_DISABLED: '1', WRANGLER_SEND_METRICS: 'false' },
  ...{ NITRO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' },
}

/** The version of an installed package. */
export function versionOf(folder: string, name: string): string {
  const path = [folder, '.', '../..']
    .map((parent) => join(import.meta.dirname, parent, 'node_modules', name, 'package.json'))
    .find((file) => existsSync(file))
  return path ? JSON.parse(readFileSync(path, 'utf8')).version : ''
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid !== undefined) process.kill(-child.pid, signal)
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
