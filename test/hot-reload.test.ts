import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Hooks } from '../src/hooks.ts'
import { sqlite } from '../src/sqlite/index.ts'
import { detailIn, eventually, inboxFile, openInbox, storeIn } from './inbox/stores.ts'

/** Vite imports a file again for another query. TypeScript does not find a file with a query, so this is no literal. */
const again: string = './hot-reload-route.ts?again'
const kept = globalThis as unknown as { hotReload: { file: string; hooks?: Hooks } }

test('a route that a hot reload imports again runs only its new handlers, and is one process', async () => {
  const file = inboxFile()
  const inbox = openInbox(file)
  kept.hotReload = { file }
  onTestFinished(async () => kept.hotReload.hooks?.close())
  const handled = async () => {
    const id = await storeIn(inbox)
    await eventually(async () => expect((await detailIn(inbox, id)).state).toBe('done'))
    return (await detailIn(inbox, id)).tasks[0]?.attempts[0]?.result
  }
  await import('./hot-reload-route.ts')
  expect(await handled()).toBe('version 1')
  await import(again)
  await eventually(async () => expect(await inbox.processes()).toHaveLength(1)) // the route has closed its old `Hooks`
  for (let count = 0; count < 5; count++) expect(await handled()).toBe('version 2')
})

test('an inbox opens no database, and runs no handlers, while `next build` imports its route', () => {
  vi.stubEnv('NEXT_PHASE', 'phase-production-build')
  onTestFinished(() => void vi.unstubAllEnvs())
  const file = join(inboxFile(), '..', 'build.db')
  const hooks = new Hooks({ secret: 'a secret', logger: false, inbox: sqlite(file) })
  hooks.on('push', { name: 'deploy' }, () => {})
  hooks.schedule('stale', '0 3 * * *', () => {})
  hooks.mount()
  hooks.work()
  expect(existsSync(file)).toBe(false)
  vi.stubEnv('NEXT_PHASE', 'phase-production-server')
  sqlite(file)
  expect(existsSync(file)).toBe(true)
})
