import { hostname } from 'node:os'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { Hooks } from '../../src/hooks.ts'
import { eventually, inboxFile, openInbox } from '../inbox/stores.ts'
import { hookserver } from './command.ts'

/** A receiver and a worker that share a file, as if they were two processes. */
async function scene() {
  const file = inboxFile()
  const looking = openInbox(file)
  const begin = async (role: string, work: (hooks: Hooks) => void, count: number) => {
    const options = { secret: 's', validateIp: false, logger: false, work: false } as const
    const hooks = new Hooks({ ...options, inbox: openInbox(file) })
    onTestFinished(() => hooks.close())
    work(hooks)
    await eventually(async () => expect(await looking.processes()).toHaveLength(count))
    return { role, hooks }
  }
  await begin('receiver', (hooks) => hooks.mount(), 1)
  const { hooks: worker } = await begin('worker', (hooks) => hooks.work(), 2)
  return { looking, worker, run: (...args: string[]) => hookserver(['processes', ...args, '--database', file]) }
}

test('lists the processes of a database until they end', async () => {
  const { worker, run } = await scene()
  const row = (role: string) =>
    expect.stringMatching(
      new RegExp(`^${hostname()} +${process.pid} +${role} +\\d+\\.\\d+\\.\\d+ +\\d+s ago +\\d+s ago$`),
    )
  const { code, stdout, stderr } = await run()
  expect([code, stderr]).toEqual([0, ''])
  const [titles, ...rows] = stdout.trimEnd().split('\n')
  expect(titles).toMatch(/^HOST +PID +ROLE +VERSION +STARTED +LAST SEEN$/)
  expect(rows).toEqual([row('receiver'), row('worker')])
  await worker.close()
  expect((await run()).stdout.trimEnd().split('\n').slice(1)).toEqual([row('receiver')])
})

test('marks a process without a recent heartbeat', async () => {
  const file = inboxFile()
  const inbox = openInbox(file)
  await inbox.heartbeat({ id: 'a', role: 'all', version: '1.2.3', startedAt: 0 })
  const database = new DatabaseSync(file)
  database.exec('update processes set seen_at = seen_at - 40000')
  database.close()
  const { stdout } = await hookserver(['processes', '--database', file])
  expect(stdout).toMatch(/ 4\ds ago: no heartbeat\n$/)
})

test('prints all fields with --json', async () => {
  const { looking, run } = await scene()
  const { stdout } = await run('--json')
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual(await looking.processes())
})

test('reports that no process is running, and does not list itself', async () => {
  const file = inboxFile()
  await openInbox(file).close()
  const { code, stdout, stderr } = await hookserver(['processes', '--database', file])
  expect([code, stdout, stderr]).toEqual([0, '', 'No process is running.\n'])
})

test('prints no control characters of a version or host name', async () => {
  const file = inboxFile()
  const inbox = openInbox(file)
  await inbox.heartbeat({ id: 'a', role: 'all', version: '1\u001b[31m', startedAt: 0 })
  const { stdout } = await hookserver(['processes', '--database', file])
  expect(stdout).toContain(' 1\ufffd[31m ')
})
