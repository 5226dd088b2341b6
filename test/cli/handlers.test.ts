import { expect, onTestFinished, test } from 'vitest'
import { Hooks } from '../../src/hooks.ts'
import { sqlite } from '../../src/sqlite/index.ts'
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
  expect(stderr).toBe('deploy has not handled any delivery yet: check the name.\n')
  expect((await run('resume', '--all')).stdout).toBe('Resumed all handlers.\nPaused now: deploy.\n')
  expect((await run('resume', 'deploy')).stdout).toBe('Resumed deploy.\nNo handler is paused now.\n')
  expect((await run('resume', 'deploy')).stdout).toBe('Not paused: deploy.\nNo handler is paused now.\n')
})

test('lists the handlers, and whether they are paused', async () => {
  const { inbox, run } = scene()
  expect(await run('list')).toMatchObject({ code: 0, stdout: '', stderr: 'No worker has had a handler yet.\n' })
  await inbox.registerWorker(['mail', 'deploy'].map((name) => ({ name, backoff: 1000 })))
  await inbox.pause('deploy')
  await inbox.pause('gone')
  const { stdout } = await run('list')
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(/ +/)),
  ).toEqual([
    ['HANDLER', 'STATE'],
    ['deploy', 'paused'],
    ['gone', 'paused'],
    ['mail', 'active'],
  ])
  await inbox.pause('*')
  const listed = (await run('list', '--json')).stdout.trim().split('\n')
  expect(listed.map((line) => JSON.parse(line))).toContainEqual({ name: 'mail', paused: true })
})

test.each(['pause', 'resume'])('%s needs a name or --all', async (action) => {
  const { inbox, run } = scene()
  for (const args of [[], [''], ['deploy', '--all']]) {
    expect(await run(action, ...args)).toMatchObject({ code: 2, stderr: expect.stringContaining('--all') })
  }
  expect((await inbox.overview()).paused).toEqual([])
})
