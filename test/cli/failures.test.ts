import { expect, onTestFinished, test } from 'vitest'
import type { Store } from '../../src/inbox/inbox.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { inboxFile, stateIn, storeIn } from '../inbox/stores.ts'
import { openAdmin, token } from '../server/administered.ts'
import { handle } from '../server/api/handled.ts'
import { hookserver } from './command.ts'

async function fail(
  inbox: Store,
  handler: string,
  error: string,
  outcome: 'dead' | 'failed' = 'dead',
): Promise<number> {
  const id = await storeIn(inbox, {}, { event: 'push' })
  await handle(inbox, id, { handler, outcome, facts: { repository: 'acme/shop' }, more: { error } })
  return id
}

/** An inbox with two failure groups, and the command line for it. */
async function scene() {
  const file = inboxFile()
  const inbox = sqlite(file)
  onTestFinished(() => inbox.close())
  const ids = [
    await fail(inbox, 'deploy', 'Error: Order 1 failed\u001b[31m\n    at deploy (/app/hooks.ts:1:2)'),
    await fail(inbox, 'deploy', 'Error: Order 2 failed\u001b[31m\n    at deploy (/app/hooks.ts:1:2)', 'failed'),
  ]
  await fail(inbox, 'notify', 'Error: no network')
  const { groups } = await inbox.failureGroups({ handler: 'deploy' }, Date.now())
  const id = String(groups[0]?.id)
  const run = (...args: string[]) => hookserver(['failures', ...args, '--database', file])
  return { inbox, ids, id, run }
}

test('lists failure groups, as a table and as JSON', async () => {
  const { id, run } = await scene()
  for (const command of [[], ['list']]) {
    const [title = '', first = '', second = ''] = (await run(...command)).stdout.split('\n')
    expect(title).toMatch(/^ID +DEAD +RETRYING +FIRST +LAST +HANDLER +REPOSITORIES +ERROR/)
    expect([first, second].sort()).toEqual(
      [
        expect.stringMatching(/^\d+ +1 +0 +\d+s +\d+s +notify +acme\/shop +Error: no network/),
        expect.stringMatching(/^\d+ +1 +1 +\d+s +\d+s +deploy +acme\/shop +Error: Order <n> failed/),
      ].sort((a, b) => Number(first.includes('deploy')) - Number(second.includes('deploy')) || (a > b ? 1 : -1)),
    )
  }
  const { stdout } = await run('--handler', 'deploy', '--since', '1h', '--json')
  expect(JSON.parse(stdout)).toMatchObject({ id: Number(id), tasks: { dead: 1, retrying: 1 } })
  expect((await run('list', '--limit', '1', '--json')).stdout.trim().split('\n')).toHaveLength(1)
  expect(await run('--handler', 'other')).toMatchObject({ code: 0, stdout: '', stderr: 'No unresolved failures.\n' })
  expect(await run('--since', 'never')).toMatchObject({ code: 2, stderr: expect.stringContaining('--since') })
})

test('shows a failure group with the stack of its newest error', async () => {
  const { id, ids, run } = await scene()
  const { stdout } = await run('show', id)
  expect(stdout).toMatch(/tasks +1 dead, 1 retrying/)
  expect(stdout).toContain(`Newest failure: delivery ${ids[1]}, push, attempt 1`)
  expect(stdout).toContain('  Error: Order 2 failed')
  expect(stdout).toContain('at deploy (/app/hooks.ts:1:2)')
  expect(stdout).not.toContain('\u001b[31m')
  const { example } = JSON.parse((await run('show', id, '--json')).stdout)
  expect(example).toMatchObject({ id: ids[1], attempt: { outcome: 'failed' } })
})

test.each(['retry', 'discard'] as const)('can %s the tasks of a group', async (action) => {
  const { inbox, id, ids, run } = await scene()
  expect((await run(action, id, '--dry-run')).stdout).toBe('2 tasks selected. Dry run: nothing was changed.\n')
  expect(await run(action, id)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--dry-run to count the tasks'),
  })
  const result = action === 'retry' ? '2 tasks are pending, and will be retried.' : 'Discarded 2 tasks.'
  expect((await run(action, id, '--yes')).stdout).toBe(`${result}\n`)
  const states = await Promise.all(ids.map((one) => stateIn(inbox, one)))
  expect(new Set(states)).toEqual(new Set([action === 'retry' ? 'pending' : 'discarded']))
  if (action === 'discard') expect((await inbox.get(ids[0] as number))?.reason).toBe('Discarded from the command line')
  else expect((await run(action, id, '--yes')).stdout).toMatch(/no dead or retrying tasks/)
})

test('names an id that is invalid, or that no group has', async () => {
  const { run } = await scene()
  for (const action of ['show', 'retry', 'discard']) {
    const yes = action === 'show' ? [] : ['--yes']
    expect(await run(action, 'x', ...yes)).toMatchObject({ code: 2, stderr: expect.stringContaining('failures list') })
    expect(await run(action, '7', ...yes)).toMatchObject({
      ...{ code: 1, stderr: expect.stringContaining('There is no failure group 7') },
    })
  }
})

test('works through the admin API of a remote server', async () => {
  const admin = await openAdmin()
  const ids = [await fail(admin.inbox, 'deploy', 'Error: One'), await fail(admin.inbox, 'deploy', 'Error: Two')]
  const remote = ['--server', `http://${admin.host}`, '--admin-token', token]
  const run = (...args: string[]) => hookserver(['failures', ...args, ...remote])
  const listed = (await run('list', '--json')).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(listed.map(({ error }) => error).sort()).toEqual(['Error: One', 'Error: Two'])
  const id = String(listed.find(({ error }) => error === 'Error: One').id)
  expect((await run('show', id)).stdout).toContain(`delivery ${ids[0]}`)
  expect((await run('show', '7')).stderr).toContain('There is no failure group 7')
  expect((await run('retry', id, '--yes')).stdout).toBe('1 task is pending, and will be retried.\n')
  expect(
    (await run('discard', String(listed.find((one) => String(one.id) !== id).id), '--yes', '--reason', 'old')).stdout,
  ).toBe('Discarded 1 task.\n')
  expect((await admin.inbox.get(ids[1] as number))?.reason).toBe('old')
})
