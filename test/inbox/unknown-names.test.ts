import { expect, onTestFinished, test } from 'vitest'
import type { Store } from '../../src/inbox/inbox.ts'
import { Hooks } from '../../src/index.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { inject, signedRequest } from '../../src/testing/index.ts'
import { Recorder } from '../recorder.ts'
import { inboxFile, openInbox, withMembers } from './stores.ts'

const secret = 'a secret of the tests'

/** Registers handlers for the names, and mounts them. @returns the names in the warnings, after the close. */
async function warningsFor(inbox: Store, names: string[], mountFirst = false): Promise<unknown[]> {
  const logger = new Recorder()
  const hooks = new Hooks({ secret, inbox, logger, work: false })
  if (mountFirst) hooks.mount()
  for (const name of names) hooks.on(name, { name: `on ${name}` }, () => {})
  if (!mountFirst) hooks.mount()
  await hooks.close()
  return logger.lines.map(({ fields }) => fields.name).toSorted()
}

/** Handles one delivery for each name. */
async function receive(path: string, names: string[]): Promise<void> {
  const hooks = new Hooks({ secret, logger: false, inbox: sqlite(path) })
  onTestFinished(() => hooks.close())
  const { promise, resolve } = Promise.withResolvers<void>()
  let left = names.length
  hooks.on('*', { name: 'all' }, () => void (--left === 0 && resolve()))
  for (const name of names) {
    const [event = '', action] = name.split('.')
    await inject(hooks, signedRequest(event, { secret, payload: JSON.stringify({ action }) }))
  }
  await promise
  await hooks.close()
}

test('an unknown name is reported, unless the inbox has a delivery with it or with the unknown event', async () => {
  const path = inboxFile()
  await receive(path, ['new_event.created', 'issues.new_action', 'issues.opened'])
  const names = ['new_event', 'new_event.created', 'issues.new_action', 'new_event.other', 'issues.opend', 'pushes']
  expect(await warningsFor(openInbox(path), names)).toEqual(['issues.opend', 'pushes'])
})

test('a handler that is registered after the mount is checked too', async () => {
  const path = inboxFile()
  await receive(path, ['late_event'])
  expect(await warningsFor(openInbox(path), ['late_event', 'another_event'], true)).toEqual(['another_event'])
})

test('the warning says where the handler was registered', async () => {
  const logger = new Recorder()
  const hooks = new Hooks({ secret, inbox: openInbox(), logger, work: false })
  hooks.hook('placed_event' as string, () => {})
  hooks.mount()
  await hooks.close()
  expect(logger.lines[0]?.fields).toEqual({
    name: 'placed_event',
    at: expect.stringMatching(/^\/.*unknown-names\.test\.ts:\d+:\d+$/),
  })
})

test('nothing is reported if the inbox cannot be read', async () => {
  const inbox = withMembers(openInbox(), { list: () => Promise.reject(new Error('broken')) })
  expect(await warningsFor(inbox, ['unanswered_event'])).toEqual([])
})

test('known names cause no query', async () => {
  let lists = 0
  const list: Store['list'] = () => {
    lists++
    return Promise.reject(new Error('unexpected'))
  }
  await warningsFor(withMembers(openInbox(), { list }), ['push', 'issues.status_changed', '*', 'repository_dispatch.x'])
  expect(lists).toBe(0)
})
