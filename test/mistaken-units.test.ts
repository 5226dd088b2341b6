/** Which options reject a number that is probably in another unit, such as seconds instead of milliseconds. */
import { expect, test } from 'vitest'
import { exec } from '../src/exec/index.ts'
import { startRecovery } from '../src/github/index.ts'
import { Hooks, Retry } from '../src/index.ts'
import { postgres } from '../src/postgres/index.ts'
import { sqlite } from '../src/sqlite/index.ts'
import { LocalGitHub } from '../src/testing/index.ts'
import { openInbox } from './inbox/stores.ts'

/** Sets one option of `hooks`, of a handler or of a store. Some of these calls return a promise. */
type Call = (option: Record<string, number>) => unknown

const drain: Call = (limit) => new Hooks({ inbox: openInbox(), logger: false }).drain(limit)
const close: Call = (option) => new Hooks({ logger: false }).close(option)
const hooksWith: Call = (option) => new Hooks({ logger: false, ...option })
const handlerWith: Call = (option) => new Hooks({ logger: false }).on('push', option, () => {})
const schedule: Call = (time) => new Hooks({ logger: false }).schedule('often', time as never, () => {})
const recovery: Call = (option) => startRecovery(new Hooks({ logger: false }), { targets: 'acme/shop', ...option })
const execWith: Call = (option) => exec('git', [], option)
const sqliteWith: Call = (option) => sqlite('never-opened.db', option)
const postgresWith: Call = (option) => postgres('postgres://localhost/never-opened', option)

test.each<[name: string, option: string, value: number, call: Call, meant: string]>([
  ['new Hooks()', 'replyTimeout', 9, hooksWith, '9s'],
  ['new Hooks()', 'bodyLimit', 25, hooksWith, '25 MiB'],
  ['new Hooks()', 'bodyMemory', 64, hooksWith, '64 MiB'],
  ['new Hooks()', 'payloadMemory', 256, hooksWith, '256 MiB'],
  ['a handler', 'backoff', 5, handlerWith, '5s'],
  ['a handler', 'delay', 30, handlerWith, '30s'],
  ['a handler', 'timeout', 60, handlerWith, '60s'],
  ['hooks.close()', 'grace', 25, close, '25s'],
  ['hooks.schedule()', 'every', 3600, schedule, '3600s'],
  ['sqlite()', 'retention', 30, sqliteWith, '30d'],
  ['sqlite()', 'auditRetention', 365, sqliteWith, '365d'],
  ['sqlite()', 'vanishAfter', 24, sqliteWith, '24h'],
  ['sqlite()', 'heartbeat', 5, sqliteWith, '5s'],
  ['sqlite()', 'lockTimeout', 5, sqliteWith, '5s'],
  ['postgres()', 'retention', 30, postgresWith, '30d'],
  ['postgres()', 'auditRetention', 365, postgresWith, '365d'],
  ['postgres()', 'vanishAfter', 24, postgresWith, '24h'],
  ['postgres()', 'heartbeat', 5, postgresWith, '5s'],
  ['postgres()', 'connectTimeout', 5, postgresWith, '5s'],
  ['postgres()', 'statementTimeout', 30, postgresWith, '30s'],
  ['recovery', 'lookback', 3, recovery, '3d'],
  ['recovery', 'pace', 1, recovery, '1s'],
  ['recovery', 'every', 5, recovery, '5m'],
  ['exec()', 'timeout', 60, execWith, '60s'],
  ['exec()', 'killAfter', 5, execWith, '5s'],
  ['LocalGitHub', 'timeout', 10, LocalGitHub.start, '10s'],
  ['LocalGitHub', 'logLag', 60, LocalGitHub.start, '60s'],
  ['LocalGitHub', 'headLag', 5, LocalGitHub.start, '5s'],
  ['LocalGitHub', 'pollInterval', 60, LocalGitHub.start, '60s'],
])('%s rejects a number that is too small to be meant: %s: %s', async (_name, option, value, call, meant) => {
  const called = new Promise((resolve) => resolve(call({ [option]: value })))
  const error = await called.catch((error: unknown) => error)
  expect(error).toBeInstanceOf(TypeError)
  expect(error).toMatchObject({
    message: expect.stringContaining(`and ${value} is probably a mistake: write '${meant}'`),
  })
  expect(error).toMatchObject({ message: expect.stringContaining(`"${option}"`) })
})

test.each<[name: string, option: string, call: Call]>([
  ['a handler', 'delay', handlerWith],
  ['hooks.close()', 'grace', close],
  ['exec()', 'killAfter', execWith],
])('%s accepts 0 as a number and as a text: %s', async (_name, option, call) => {
  for (const zero of [0, '0s', '0ms'] as number[]) await call({ [option]: zero })
})

test('a Retry accepts a small number, because handlers calculate it from the time at which a limit ends', () => {
  expect(new Retry({ after: 7 }).after).toBe(7)
  expect(new Retry({ after: '0s' }).after).toBe(0)
})

test('drain accepts a small number, because functions calculate it from the time that is left to them', async () => {
  await expect(drain({ budget: 30 })).resolves.toMatchObject({ nextAt: undefined })
})
