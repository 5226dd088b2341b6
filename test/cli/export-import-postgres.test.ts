/** Copies an inbox from a file to PostgreSQL, and back. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Hooks } from '../../src/hooks.ts'
import type { Store } from '../../src/inbox/inbox.ts'
import { postgres } from '../../src/postgres/index.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { eventually, inboxFile, openInbox, storeIn } from '../inbox/stores.ts'
import { databases } from '../postgres/databases.ts'
import { handle } from '../server/api/handled.ts'
import { project } from '../server/service.ts'
import { hookserver } from './command.ts'
import { issue, push } from './inbox-scene.ts'

const databaseServer = databases()

/** One delivery in each state, and some with rare fields. */
async function storeAllKinds(inbox: Store): Promise<void> {
  const facts = {
    action: 'opened',
    repository: 'acme/shop',
    sender: 'octocat',
    title: 'naïve 🚀 \u001b[31m',
    number: 7,
  }
  const error = 'Error: No issues here\n    at handler (hooks.ts:7:9)'
  const handled = async (guid: string, how: Parameters<typeof handle>[2]) => {
    const id = await storeIn(inbox, issue(7), { event: 'issues', guid, headers: { 'x-github-event': 'issues' } })
    await handle(inbox, id, { facts, ...how })
    return id
  }
  await storeIn(inbox, push('acme/shop'), { guid: 'pending' })
  await handled('done', { more: { result: 'built', log: 'line\nline' } })
  await handled('ignored', { outcome: 'ignored' })
  await handled('running', { outcome: 'running' })
  await handled('retrying', { outcome: 'failed', more: { error } })
  await handled('dead', { outcome: 'dead', more: { error } })
  const discarded = await handled('discarded', { outcome: 'dead', more: { error } })
  await inbox.discard({ ids: [discarded] }, 'not needed')
  await storeIn(inbox, { other: 'bytes' }, { event: 'issues', guid: 'done' })
  await storeIn(inbox, issue(7), { event: 'issues', guid: 'done', headers: { 'x-github-event': 'issues' } })
  await storeIn(inbox, {}, { guid: 'no text', body: Uint8Array.from([0, 255, 0, 128]), form: 'form', secretId: 'b' })
  await storeIn(inbox, {}, { guid: 'large', body: new Uint8Array(3 * 2 ** 20).fill(120), pulled: true, address: '::1' })
  await storeIn(
    inbox,
    {},
    { guid: 'elsewhere', source: '/other', hookId: '', secretIndex: undefined, algorithm: undefined },
  )
}

/** Imports an export, twice. @returns An export of the target. */
async function move(lines: string, to: string): Promise<string> {
  const file = join(project(), 'deliveries.jsonl')
  writeFileSync(file, lines)
  const count = lines.trim().split('\n').length - 2
  expect(await hookserver(['deliveries', 'import', file, '--database', to])).toMatchObject({
    ...{ code: 0, stdout: `Imported ${count} deliveries.\n`, stderr: '' },
  })
  const again = await hookserver(['deliveries', 'import', file, '--database', to])
  expect(again.stdout).toBe(`Imported 0 deliveries. Skipped ${count} deliveries that already existed.\n`)
  return exported(to)
}

async function exported(from: string): Promise<string> {
  const { code, stdout } = await hookserver(['deliveries', 'export', '--database', from])
  expect(code).toBe(0)
  return stdout
}

/** All fields except the id, which depends on the database. */
const same = (lines: string) => {
  const deliveries = lines.trim().split('\n').slice(1, -1)
  return deliveries.map((line) => ({ ...JSON.parse(line), id: 0 }))
}

/** The delivery as it is after an import, which cuts off running attempts. */
const interrupted = (delivery: { guid: string; tasks: { state: string; attempts: object[] }[] }) =>
  delivery.guid === 'running'
    ? {
        ...delivery,
        state: 'pending',
        tasks: delivery.tasks.map((task) => ({
          ...task,
          state: 'pending',
          attempts: task.attempts.map((attempt) => ({ ...attempt, outcome: 'cut off' })),
          failureGroup: expect.any(Number),
        })),
      }
    : delivery

test('copies an inbox from a file to PostgreSQL, and back, with all fields', async () => {
  const file = inboxFile()
  const inbox = sqlite(file)
  await storeAllKinds(inbox)
  const { states } = await inbox.overview()
  expect(states).toEqual({ pending: 5, running: 1, retrying: 1, dead: 1, discarded: 1, done: 1, ignored: 1 })
  await inbox.close()

  const inFile = await exported(file)
  const database = await databaseServer.create()
  const inPostgres = await move(inFile, database)
  expect(same(inPostgres)).toEqual(same(inFile).map(interrupted))

  const back = inboxFile()
  expect(same(await move(inPostgres, back))).toEqual(same(inPostgres))
  expect((await openInbox(back).overview()).states).toEqual({ ...states, pending: 6, running: 0 })

  const moved = postgres(database)
  const hooks = new Hooks({ logger: false, inbox: moved })
  onTestFinished(() => moved.close())
  hooks.on('*', { name: 'deploy' }, () => 'handled')
  hooks.work()
  const left = async () => (await moved.overview()).states
  await eventually(async () => expect(await left()).toMatchObject({ pending: 0, running: 0, retrying: 1, ignored: 1 }))
  await hooks.close()
})
