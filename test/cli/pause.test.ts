import { expect, onTestFinished, test } from 'vitest'
import { Hooks } from '../../src/hooks.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { eventually, inboxFile, stateIn, storeIn } from '../inbox/stores.ts'
import { hookserver } from './command.ts'

function scene() {
  const file = inboxFile()
  const inbox = sqlite(file)
  onTestFinished(() => inbox.close())
  return { inbox, run: (...args: string[]) => hookserver([...args, '--database', file]) }
}

test('pauses all handlers of a worker that runs, until they are resumed', async () => {
  const { inbox, run } = scene()
  expect(await run('pause')).toMatchObject({
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
  expect((await run('resume')).stdout).toBe('Resumed all handlers.\nNo handler is paused now.\n')
  await eventually(async () => expect(await stateIn(inbox, id)).toBe('done'))
})

test('pauses a handler by its name, and "resume" without a name leaves it paused', async () => {
  const { inbox, run } = scene()
  await inbox.pause('*')
  const { stdout, stderr } = await run('pause', 'deploy')
  expect(stdout).toBe('Paused deploy.\nPaused now: all handlers, deploy.\n')
  expect(stderr).toBe('deploy has not handled any delivery yet: check the name.\n')
  expect((await run('resume')).stdout).toBe('Resumed all handlers.\nPaused now: deploy.\n')
  expect((await run('resume', 'deploy')).stdout).toBe('Resumed deploy.\nNo handler is paused now.\n')
  expect((await run('resume', 'deploy')).stdout).toBe('Not paused: deploy.\nNo handler is paused now.\n')
})

test.each(['pause', 'resume'])('%s explains itself, with examples', async (name) => {
  const { code, stdout } = await hookserver([name, '--help'])
  expect([code, stdout]).toEqual([0, expect.stringContaining(`\nExamples:\n  hookserver ${name}`)])
})
