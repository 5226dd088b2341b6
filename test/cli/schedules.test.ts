import { expect, onTestFinished, test } from 'vitest'
import { Hooks } from '../../src/hooks.ts'
import { readSchedules } from '../../src/schedules/stored-schedules.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { eventually, inboxFile, stateIn } from '../inbox/stores.ts'
import { hookserver } from './command.ts'

async function scene() {
  const file = inboxFile()
  const inbox = sqlite(file)
  const run = (...args: string[]) => hookserver(['schedules', ...args, '--database', file])
  const hooks = new Hooks({ logger: false, inbox })
  onTestFinished(() => hooks.close({ grace: 0 }))
  expect(await run('list')).toMatchObject({ code: 0, stdout: '', stderr: 'No worker has had a schedule yet.\n' })
  hooks.schedule('stale', '0 3 1 1 *', { timezone: 'Europe/Berlin' }, () => 'done')
  hooks.work()
  await eventually(async () => expect((await readSchedules(inbox)).size).toBe(1))
  return { inbox, run }
}

test('lists schedules, runs one, and shows its last delivery', async () => {
  const { inbox, run } = await scene()
  const title = /^SCHEDULE +TIME +NEXT +LAST +STATE$/
  const line = /^stale +0 3 1 1 \* \(Europe\/Berlin\) +\d{4}-01-01 02:00/
  const [first = '', second = ''] = (await run('list')).stdout.split('\n').map((text) => text.trimEnd())
  expect([first, second]).toEqual([expect.stringMatching(title), expect.stringMatching(line)])
  expect((await run('run', 'stale')).stdout).toBe('Made delivery 1 of stale.\n')
  await eventually(async () => expect(await stateIn(inbox, 1)).toBe('done'))
  expect((await run('list')).stdout).toMatch(/\d+s ago +done/)
  const { last, missed } = JSON.parse((await run('list', '--json')).stdout)
  expect([last, missed]).toEqual([{ id: 1, at: expect.any(Number), state: 'done' }, 'latest'])
})

test('pauses and resumes the handler of a schedule', async () => {
  const { inbox, run } = await scene()
  expect((await run('pause', 'stale')).stdout).toBe('Paused stale.\n')
  expect((await run('list')).stdout).toContain('paused')
  expect((await inbox.overview()).paused).toEqual(['stale'])
  expect((await run('resume', 'stale')).stdout).toBe('Resumed stale.\n')
  expect((await run('resume', 'stale')).stdout).toBe('Not paused: stale.\n')
  expect((await inbox.overview()).paused).toEqual([])
})

test('names the schedules if there is no such schedule', async () => {
  const { run } = await scene()
  const { code, stderr } = await run('run', 'other')
  expect([code, stderr]).toEqual([1, 'hookserver: There is no schedule other: the schedules are stale\n'])
  expect((await run('pause', 'other')).code).toBe(1)
})
