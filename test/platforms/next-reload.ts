/** Checks that a hot reload of Next.js replaces the handlers of a route with an inbox, and that the build opens no inbox. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { signedRequest } from '../../src/samples/signed-request.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { type Application, secret } from './application.ts'
import { deliver } from './checks.ts'

const folder = join(import.meta.dirname, 'next-app')
const file = join(folder, 'hookserver.db')
const versionFile = join(folder, 'app/api/stored/version.ts')
const route = { path: '/api/stored', addressHeader: 'x-real-ip' }
const reloads = [2, 3]
const pollMs = 100
const timeoutMs = 60_000

/** Call it before the build. */
export function removeInbox(): void {
  for (const ending of ['', '-wal', '-shm']) rmSync(file + ending, { force: true })
}

/** @throws {Error} if the build or a reload does not behave. @param application Not started. */
export async function checkReload(application: Application): Promise<void> {
  assert.ok(!existsSync(file), 'the build has opened the inbox')
  const original = readFileSync(versionFile, 'utf8')
  await application.start('dev')
  const inbox = sqlite(file)
  try {
    await deliverUntil(application.origin, inbox, 'version 1')
    for (const version of reloads) {
      writeFileSync(versionFile, original.replace(/= \d+/, `= ${version}`))
      await deliverUntil(application.origin, inbox, `version ${version}`)
    }
    const processes = await inbox.processes()
    assert.equal(processes.length, 1, 'one process is registered once')
  } finally {
    writeFileSync(versionFile, original)
    await inbox.close()
    await application.stop()
  }
}

/** Sends pushes until a handler returns `expected`. After that, all pushes must return it. */
async function deliverUntil(origin: string, inbox: Inbox, expected: string): Promise<void> {
  const deadline = Date.now() + timeoutMs
  const handled = async () => {
    const { status } = await deliver(route, origin, signedRequest('push', { secret }))
    assert.equal(status, 202, 'the delivery is stored')
    return resultOf(inbox, deadline)
  }
  for (let result = ''; result !== expected; result = await handled()) {
    assert.ok(Date.now() < deadline, `the last result is ${JSON.stringify(result)}, expected ${expected}`)
  }
  for (let again = 0; again < 5; again++) assert.equal(await handled(), expected)
}

/** The result of the newest delivery. */
async function resultOf(inbox: Inbox, deadline: number): Promise<string> {
  while (Date.now() < deadline) {
    const [newest] = (await inbox.list({ limit: 1 })).deliveries
    const detail = newest && (await inbox.get(newest.id))
    if (detail?.state === 'done') return detail.tasks[0]?.attempts[0]?.result ?? ''
    await wait(pollMs)
  }
  throw new Error('No handler has run')
}
