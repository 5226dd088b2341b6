/** The resident memory of servers under attack: at most `inFlightLimit` and 100 MB more than before. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Program, startProgram } from '../../runtimes/program.ts'
import { bundleWorker, workerdArgs } from '../../runtimes/workerd.ts'
import { anyOrigin, project, ServedProcess, withSecret } from '../../server/service.ts'
import { MiB, peakMemory, sendAborted, sendOversized } from './attacks.ts'

/** The default of `inFlightLimit`, and 100 MB for all else. */
const allowance = 64 * MiB + 100_000_000

type Target = Pick<Program, 'origin' | 'pid'> & { path: string }

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url))

async function started(starting: Promise<Program>, path: string): Promise<Target> {
  const { origin, pid, stop } = await starting
  onTestFinished(stop)
  return { origin, pid, path }
}

const inNode = (adapter: string) => () =>
  started(startProgram(process.execPath, [pathOf('./server.ts'), adapter]), '/hooks')

async function inWorkerd(): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-workerd-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const config = await bundleWorker(pathOf('../../runtimes/worker.ts'), folder)
  return started(startProgram('workerd', workerdArgs(config)), '/contract/plain')
}

async function inServe(): Promise<Target> {
  const served = new ServedProcess(project(), anyOrigin, withSecret)
  const { origin, pathname } = new URL(await served.url())
  return { origin, pid: served.child.pid as number, path: pathname }
}

const targets: Record<string, () => Promise<Target>> = {
  'node:http': inNode('node'),
  Express: inNode('express'),
  Fastify: inNode('fastify'),
  Koa: inNode('koa'),
  'Hono on Node.js': inNode('hono'),
  'hookserver/web on Node.js': inNode('web'),
  Bun: () => started(startProgram('bun', [pathOf('../../runtimes/bun.ts')]), '/contract/plain'),
  Deno: () =>
    started(
      startProgram('deno', ['run', '--allow-net', '--no-prompt', pathOf('../../runtimes/deno.ts')]),
      '/contract/plain',
    ),
  workerd: inWorkerd,
  'hookserver serve': inServe,
}

describe.runIf(process.platform === 'linux').each(Object.keys(targets))('%s', (name) => {
  test.each([
    ['400 bodies whose senders disconnect', sendAborted],
    ['30 bodies without Content-Length that exceed bodyLimit', sendOversized],
  ])('holds the memory limit under %s', async (_, attack) => {
    const target = await (targets[name] as () => Promise<Target>)()
    const reply = await fetch(target.origin + target.path, { method: 'POST' })
    expect(reply.status).toBe(400) // no signature
    const before = peakMemory(target.pid)
    await attack(target)
    expect(peakMemory(target.pid) - before).toBeLessThan(allowance)
  })
})
