/** An inbox with handled deliveries, and the command line for it. */
import { expect, onTestFinished } from 'vitest'
import { Hooks } from '../../src/hooks.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { eventually, inboxFile, storeIn } from '../inbox/stores.ts'
import { hookserver } from './command.ts'

const _secret = 'a secret that is long enough'

/** An inbox in which every delivery was handled: `issues` are dead, the others done or ignored. */
export async function scene(payloads: readonly (readonly [event: string, payload: object])[]) {
  const file = inboxFile()
  const receiving = sqlite(file)
  const ids: number[] = []
  for (const [event, payload] of payloads) ids.push(await storeIn(receiving, payload, { event }))
  await receiving.close()
  await handleAll(file)
  const inbox = sqlite(file)
  onTestFinished(() => inbox.close())
  const run = (...args: string[]) => hookserver(['deliveries', ...args, '--database', file])
  return { file, inbox, ids, run }
}

/** Handles all deliveries, as another process would. */
export async function handleAll(file: string): Promise<void> {
  const inbox = sqlite(file)
  const hooks = new Hooks({ logger: false, inbox, onDead: () => {} })
  hooks.on('issues', { name: 'tracker', attempts: 1 }, ({ payload, log }) => {
    log.info({}, `seen ${payload.action}`)
    throw new Error(`No issues here\u001b[31m`)
  })
  hooks.on('push', { name: 'builder' }, () => 'built')
  hooks.work()
  await eventually(async () => {
    const { states } = await inbox.overview()
    expect([states.pending, states.running, states.retrying]).toEqual([0, 0, 0])
  })
  await hooks.close()
}

export const issue = (number: number, title = 'A bug') => ({
  action: 'opened',
  issue: { number, title },
  repository: { full_name: 'acme/shop' },
  sender: { login: 'octocat' },
})
export const push = (name: string) => ({
  ref: 'refs/heads/main',
  repository: { full_name: name },
  sender: { login: 'hubot' },
})
