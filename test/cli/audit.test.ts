import { userInfo } from 'node:os'
import { expect, test } from 'vitest'
import type { AuditEntry } from '../../src/inbox/audit-log.ts'
import { inboxFile } from '../inbox/stores.ts'
import { openAdmin, token } from '../server/administered.ts'
import { hookserver } from './command.ts'
import { issue, push, scene } from './inbox-scene.ts'

const person = userInfo().username

async function entriesIn(...args: string[]): Promise<AuditEntry[]> {
  const { stdout } = await hookserver(['audit', '--json', ...args])
  const lines = stdout.split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line))
}

test('lists the changes of other commands, with the user of the operating system', async () => {
  const { file, ids, run, inbox } = await scene([
    ['issues', issue(1)],
    ['issues', issue(2)],
    ['push', push('acme/shop')],
  ])
  const database = ['--database', file]
  await run('discard', '--query', 'state:dead #1', '--yes', '--reason', 'a duplicate')
  await run('retry', String(ids[1]))
  await run('retry', '9999')
  await run('retry', '--state', 'done', '--dry-run')
  await hookserver(['handlers', 'pause', 'tracker', ...database])
  await hookserver(['handlers', 'pause', 'tracker', ...database])
  await hookserver(['handlers', 'resume', '--all', ...database])
  const entries = await entriesIn(...database)
  expect(entries).toMatchObject([
    { action: 'pause', person, access: 'command line', target: { handler: 'tracker' } },
    { action: 'retry', person, target: {}, count: 1, deliveries: [ids[1]] },
    { action: 'discard', target: { reason: 'a duplicate' }, count: 1, deliveries: [ids[0]] },
  ])
  expect(entries.at(-1)?.target.search).toBe('state:dead number:1')
  await inbox.recordAction(
    { key: 'k', at: 1, action: 'login', access: 'github', person: 'octo\u001bcat', target: {} },
    { count: 1 },
  )
  const { stdout } = await hookserver(['audit', ...database])
  const lines = stdout.trimEnd().split('\n')
  expect(lines).toHaveLength(5)
  expect(lines[0]).toMatch(/^AGE +ACTION +PERSON +ACCESS +RESULT +TARGET$/)
  expect(lines[3]).toMatch(/retry +\S+ +command line +1 delivery +id 2$/)
  expect(lines[1]).toMatch(/login +octo\ufffdcat +github +- +-$/)
})

test('selects entries, and limits their number', async () => {
  const { file, inbox } = await scene([])
  for (const [key, name] of ['ada', 'bob', 'ada'].entries()) {
    const action = key === 1 ? 'pause' : 'resume'
    const entry = { key: String(key), at: key, action, access: 'github', person: name, target: {} } as const
    await inbox.recordAction(entry, { count: 1 })
  }
  const find = async (...args: string[]) => (await entriesIn('--database', file, ...args)).map(({ at }) => at)
  expect(await find()).toEqual([2, 1, 0])
  expect(await find('--limit', '2')).toEqual([2, 1])
  expect(await find('--person', 'ada', '--action', 'resume', '--access', 'github')).toEqual([2, 0])
  const { code, stderr } = await hookserver(['audit', '--action', 'delete', '--database', file])
  expect([code, stderr]).toEqual([2, expect.stringContaining('--action: expected one of retry, discard')])
  const none = await hookserver(['audit', '--action', 'send', '--database', file])
  expect([none.stdout, none.stderr]).toEqual(['', 'No entries.\n'])
})

test('has one entry for an import, and one for the failures of a group', async () => {
  const { run, file, inbox } = await scene([
    ['issues', issue(1)],
    ['issues', issue(2)],
  ])
  const [group] = (await inbox.failureGroups({}, Date.now())).groups
  await hookserver(['failures', 'retry', String(group?.id), '--yes', '--database', file])
  const target = { failureGroup: group?.id, handler: 'tracker' }
  expect(await entriesIn('--database', file)).toMatchObject([{ action: 'retry', target, count: 2, person }])
  const { stdout: input } = await run('export')
  const to = inboxFile()
  await hookserver(['deliveries', 'import', '-', '--database', to], {}, { input })
  await hookserver(['deliveries', 'import', '-', '--database', to], {}, { input })
  expect(await entriesIn('--database', to)).toMatchObject([{ action: 'import', count: 2, person }])
})

test('lists the entries of a remote server, which sees only the token', async () => {
  const admin = await openAdmin()
  await admin.inbox.pause('deploy')
  const remote = ['--server', `http://${admin.host}`]
  const environment = { HOOKSERVER_ADMIN_TOKEN: token }
  await hookserver(['handlers', 'resume', 'deploy', ...remote], environment)
  const { stdout } = await hookserver(['audit', '--json', ...remote], environment)
  const { person: none, ...entry } = JSON.parse(stdout)
  expect([entry, none]).toMatchObject([{ action: 'resume', access: 'token', target: { handler: 'deploy' } }, undefined])
})
