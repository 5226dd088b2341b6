/** Runs the command line, and a receiver for it to send to. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, expect } from 'vitest'
import { hookserver as mounted } from '../../../src/adapters/node.ts'
import { type Delivery, Hooks } from '../../../src/index.ts'
import { main } from '../../build.ts'
import { compileCache } from '../../compile-cache.ts'
import { hookserver } from '../command.ts'

/** A unique text, so that tests can search the output for it. */
export const secret = 'Hg7-this-secret-must-not-be-printed-Q2z'

let folder = ''

/** Creates the folder in which the commands of a test file run. */
export function createFolder(): string {
  const created = mkdtempSync(join(tmpdir(), 'hookserver-send-'))
  afterAll(() => rmSync(created, { recursive: true }))
  folder = created
  return created
}

export interface Run {
  code: number | null
  stdout: string
  stderr: string
}

export interface RunOptions {
  env?: Record<string, string>
  input?: string
  /** Called when the process has started, with a function that sends a signal to the process. */
  during?: (kill: (signal: NodeJS.Signals) => void) => void
}

/** Runs `hookserver` with the secret, and checks that it does not print the secret. */
export async function hookserverCommand(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const env = { GITHUB_WEBHOOKS_KEY: secret, ...options.env }
  const { code, stdout, stderr } = options.during
    ? await runAndSignal(args, env, options.during)
    : await hookserver(args, env, { cwd: folder, input: options.input ?? '' })
  expect(stdout + stderr).not.toContain(secret)
  return { code, stdout, stderr }
}

async function runAndSignal(
  args: readonly string[],
  variables: Record<string, string>,
  during: NonNullable<RunOptions['during']>,
): Promise<Run> {
  const env = { PATH: process.env.PATH, ...compileCache, ...variables }
  const child = spawn(process.execPath, [main, ...args], { cwd: folder, env })
  child.stdin.end()
  during((signal) => child.kill(signal))
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: child.exitCode, stdout, stderr }
}

/** Listens on a free port until the tests of the file have ended. @returns the URL without a path. */
export async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export interface Received {
  guid: string
  data: Record<string, unknown>
  delivery: Delivery
}

/** A receiver that verifies signatures, and records the accepted deliveries and all content types. */
export async function receiver() {
  const received: Received[] = []
  const types: (string | undefined)[] = []
  const hooks = new Hooks({ secret, validateIp: false, logger: false })
  hooks.hook('*', (data, guid, delivery) => {
    received.push({ guid, data, delivery })
    return `Thanks for ${delivery.event}`
  })
  const handle = mounted(hooks)
  const origin = await listen((request, response) => {
    types.push(request.headers['content-type'])
    void handle(request, response)
  })
  const take = () => ({ received: received.splice(0), types: types.splice(0) })
  return { to: `${origin}/hooks`, origin, take }
}
