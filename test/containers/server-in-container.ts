/** Starts the command of a container as a process of this machine. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { main } from '../build.ts'
import { compileCache } from '../compile-cache.ts'
import { freePort } from '../free-port.ts'
import { root } from './files.ts'

export interface ContainerCommand {
  /** The arguments of the image's entry point. */
  args: readonly string[]
  env: Readonly<Record<string, string>>
  /** The folder of this machine that the container has as `/hooks`. Default: the examples. */
  hooks?: string
}

export interface RunningServer {
  child: ChildProcess
  /** The environment of the process, as a health check of the container gets it. */
  env: Readonly<Record<string, string>>
  /** Ports of this machine, by the port of the container. */
  ports: Readonly<Record<number, number>>
}

/** Starts `hookserver` on other ports and with a database of its own, and waits until it listens. */
export async function startCommand({
  args,
  env,
  hooks = join(root, 'examples'),
}: ContainerCommand): Promise<RunningServer> {
  const [port, adminPort] = [await freePort(), await freePort()]
  const here = {
    ...env,
    HOOKSERVER_PORT: String(port),
    HOOKSERVER_ADMIN_PORT: String(adminPort),
    HOOKSERVER_RANGES: '127.0.0.1',
  }
  const child = spawn(process.execPath, [main, ...args.map((arg) => arg.replace(/^\/hooks/, hooks))], {
    cwd: mkdtempSync(join(tmpdir(), 'hookserver-container-')),
    env: { PATH: process.env.PATH, ...compileCache, ...here },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let log = ''
  child.stderr?.on('data', (chunk) => (log += chunk))
  const ended = once(child, 'close').then(() => {
    throw new Error(`The server ended:\n${log}`)
  })
  ended.catch(() => {})
  while (!log.includes('Admin listener'))
    await Promise.race([once(child.stderr as NodeJS.ReadableStream, 'data'), ended])
  return { child, env: here, ports: { 8000: port, 8001: adminPort } }
}
