/** The resident memory of servers under attack: little more than before and `bodyMemory`. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { contractSecret } from '../../../src/testing/contract/mounts.ts'
import { signedRequest } from '../../../src/testing/index.ts'
import { type Program, startProgram } from '../../runtimes/program.ts'
import { bundleWorker, workerdArgs } from '../../runtimes/workerd.ts'
import { anyOrigin, project, ServedProcess, secret, withSecret } from '../../server/service.ts'
import { MiB, peakMemory, sendAborted, sendOversized } from './attacks.ts'

/** The default of the option. */
const bodyMemory = 64 * MiB

/** For the chunks that the runtime holds, and for memory that it has not collected yet. */
const allowance = 100_000_000

type Target = Pick<Program, 'origin' | 'pid'> & { path: string; secret: string }

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url))

async function started(starting: Promise<Program>): Promise<Omit<Target, 'path' | 'secret'>> {
  const { origin, pid, stop } = await starting
  onTestFinished(stop)
  return { origin, pid }
}

/** A program that serves the mounts of the adapter contract. */
async function contract(starting: Promise<Program>): Promise<Target> {
  return { ...(await started(starting)), path: '/contract/plain', secret: contractSecret }
}

const inNode = (adapter: string) => async () => {
  const program = await started(startProgram(process.execPath, [pathOf('./server.ts'), adapter]))
  return { ...program, path: '/hooks', secret: 'a secret' }
}

async function inWorkerd(): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-workerd-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const config = await bundleWorker(pathOf('../../runtimes/worker.ts'), folder)
  return contract(startProgram('workerd', workerdArgs(config)))
}

async function inServe(): Promise<Target> {
  const served = new ServedProcess(project(), anyOrigin, withSecret)
  const { origin, pathname } = new URL(await served.url())
  return { origin, pid: served.child.pid as number, path: pathname, secret }
}

const targets: Record<string, () => Promise<Target>> = {
  'node:http': inNode('node'),
  Express: inNode('express'),
  Fastify: inNode('fastify'),
  Koa: inNode('koa'),
  'Hono on Node.js': inNode('hono'),
  'hookserver/web on Node.js': inNode('web'),
  Bun: () => contract(startProgram('bun', [pathOf('../../runtimes/bun.ts')])),
  Deno: () => contract(startProgram('deno', ['run', '--allow-net', '--no-prompt', pathOf('../../runtimes/deno.ts')])),
  workerd: inWorkerd,
  'hookserver serve': inServe,
}

describe.runIf(process.platform === 'linux').each(Object.keys(targets))('%s', (name) => {
  test.each([
    ['100 bodies whose senders disconnect', sendAborted],
    ['30 bodies without Content-Length that exceed bodyLimit', sendOversized],
  ])('holds the memory limit under %s', async (_, attack) => {
    const target = await (targets[name] as () => Promise<Target>)()
    for (let i = 0; i < 50; i++) {
      const reply = await fetch(target.origin + target.path, signedRequest('push', { secret: target.secret }))
      expect(reply.ok).toBe(true)
    }
    const before = peakMemory(target.pid)
    await attack(target)
    expect(peakMemory(target.pid) - before).toBeLessThan(bodyMemory + allowance)
  })
})
