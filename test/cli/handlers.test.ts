import { describe, expect, onTestFinished, test } from 'vitest'
import { Hooks } from '../../src/hooks.ts'
import { hour } from '../../src/runtime/units.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { recordMatches } from '../../src/testing/inbox-contract/matching.ts'
import { eventually, inboxFile, stateIn, storeIn } from '../inbox/stores.ts'
import { hookserver } from './command.ts'

function scene() {
  const file = inboxFile()
  const inbox = sqlite(file)
  onTestFinished(() => inbox.close())
  return { inbox, run: (...args: string[]) => hookserver(['handlers', ...args, '--database', file]) }
}

test('pauses all handlers of a worker that runs, until they are resumed', async () => {
  const { inbox, run } = scene()
  expect(await run('pause', '--all')).toMatchObject({
    ...{ code: 0, stderr: '' },
    stdout: 'Paused all handlers.\nPaused now: all handlers.\n',
  })
  const hooks = new Hooks({ logger: false, inbox })
  hooks.on('push', { name: 'deploy' }, () => 'done')
  hooks.work()
  onTestFinished(() => hooks.close())
  const id = await storeIn(inbox, {})
  await eventually(async () => expect((await inbox.get(id))?.tasks).toHaveLength(1))
  expect(await stateIn(inbox, id)).toBe('pending')
  expect((await run('resume', '--all')).stdout).toBe('Resumed all handlers.\nNo handler is paused now.\n')
  await eventually(async () => expect(await stateIn(inbox, id)).toBe('done'))
})

test('pauses a handler by its name, and "resume --all" leaves it paused', async () => {
  const { inbox, run } = scene()
  await inbox.pause('*')
  const { stdout, stderr } = await run('pause', 'deploy')
  expect(stdout).toBe('Paused deploy.\nPaused now: all handlers, deploy.\n')
  expect(stderr).toBe('No worker has the handler deploy. Check the name, or deploy the handler.\n')
  expect((await run('resume', '--all')).stdout).toBe('Resumed all handlers.\nPaused now: deploy.\n')
  expect((await run('resume', 'deploy')).stdout).toBe('Resumed deploy.\nNo handler is paused now.\n')
  expect((await run('resume', 'deploy')).stdout).toBe('Not paused: deploy.\nNo handler is paused now.\n')
})

describe('handlers list', () => {
  const titles = ['HANDLER', 'STATE', 'ATTEMPTS', 'SUCCESS', 'P50', 'P95', 'P99', 'RUNNING', 'WAITING', 'AGE']
  const rowsOf = (stdout: string) =>
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(/ {2,}/))

  test('cuts a long name in the middle, and not with --json', async () => {
    const { inbox, run } = scene()
    const name = 'issue_comment.created,issues.opened,pull_request.opened@probot-commands/index.js#bound listener#2'
    await inbox.registerWorker([{ name, backoff: 1000 }])
    const [, row] = rowsOf((await run('list')).stdout)
    expect(row?.[0]).toBe('issue_comment.created,i…dex.js#bound listener#2')
    expect(JSON.parse((await run('list', '--json')).stdout)).toMatchObject({ name })
  })

  test('shows whether handlers are paused', async () => {
    const { inbox, run } = scene()
    expect(await run('list')).toMatchObject({ code: 0, stdout: '', stderr: 'No worker has had a handler yet.\n' })
    await inbox.registerWorker(['mail', 'deploy'].map((name) => ({ name, backoff: 1000 })))
    await inbox.pause('deploy')
    await inbox.pause('gone')
    const [first, ...rows] = rowsOf((await run('list')).stdout)
    expect(first).toEqual(titles)
    expect(rows.map((row) => row.slice(0, 3))).toEqual([
      ['deploy', 'paused', '0'],
      ['gone', 'paused', '0'],
      ['mail', 'active', '0'],
    ])
    await inbox.pause('*')
    const listed = (await run('list', '--json')).stdout.trim().split('\n')
    expect(listed.map((line) => JSON.parse(line))).toContainEqual({
      ...{ name: 'mail', paused: true },
      statistics: {
        ...{ attempts: 0, succeeded: 0, failed: 0, dead: 0, waiting: 0, running: 0 },
        ...{ durations: null, completions: null },
      },
    })
  })

  test('shows the attempts of a window, their durations, and the tasks that wait', async () => {
    const { inbox, run } = scene()
    const worker = await inbox.registerWorker([{ name: 'deploy', backoff: 1000 }])
    const count = { at: Date.now(), measure: 'attempts', name: 'deploy' } as const
    await inbox.addCounts([
      { ...count, outcome: 'succeeded', count: 199 },
      { ...count, outcome: 'dead', count: 1 },
      { ...count, at: Date.now() - 3 * hour, outcome: 'failed', count: 100 },
      { ...count, measure: 'durations', outcome: '46.4', count: 180 },
      { ...count, measure: 'durations', outcome: '4640', count: 20 },
    ])
    const id = await storeIn(inbox, {}, { receivedAt: Date.now() - 2 * hour })
    await recordMatches(inbox, worker, [{ id, summary: {}, tasks: [{ handler: 'deploy', claim: false }] }], Date.now())
    const [, row] = rowsOf((await run('list')).stdout)
    expect(row).toEqual(['deploy', 'active', '200', '99 %', '46 ms', '4.6 s', '4.6 s', '0', '1', '2h'])
    const [, day] = rowsOf((await run('list', '--window', '24h')).stdout)
    expect(day?.slice(2, 4)).toEqual(['300', '66 %'])
    expect(await run('list', '--window', '2h')).toMatchObject({
      ...{ code: 2, stderr: expect.stringContaining('one of 1h, 24h, 7d') },
    })
  })
})

test.each(['pause', 'resume'])('%s needs a name or --all', async (action) => {
  const { inbox, run } = scene()
  for (const args of [[], [''], ['deploy', '--all']]) {
    expect(await run(action, ...args)).toMatchObject({ code: 2, stderr: expect.stringContaining('--all') })
  }
  expect((await inbox.overview()).paused).toEqual([])
})

test('pause suggests the name of a handler for a similar name, and accepts a handler without deliveries', async () => {
  const { inbox, run } = scene()
  await inbox.registerWorker([{ name: 'deploy', backoff: 1000 }])
  expect((await run('pause', 'deploy')).stderr).toBe('')
  expect((await run('pause', 'deplyo')).stderr).toBe(
    'No worker has the handler deplyo. Did you mean "deploy"? To undo this: hookserver handlers resume deplyo\n',
  )
})
