/** The list of deliveries in a browser. The handler of issues fails as long as its issue tracker is down. */

import type { Locator, Page } from 'playwright-core'
import { beforeEach } from 'vitest'
import { Hooks, Retry } from '../../src/index.ts'
import { issue } from './payloads.ts'
import { openScene, reloadAt, rows, type Scene } from './scene.ts'

export interface Tracked {
  scene: Scene
  page: Page
  /** The issue tracker. It is down at the beginning of each test. */
  tracker: { isUp: boolean }
  row: (text: string) => Locator
  button: (name: string | RegExp) => Locator
  /** The last message with this text about an operation. */
  said: (text: string | RegExp) => Locator
  /** Stores deliveries of issues with these numbers, and waits until they are dead. */
  fail: (...numbers: number[]) => Promise<void>
}

/** Sets the scene up for all tests of a file. Each test begins at the list. */
export async function openTracked(): Promise<Tracked> {
  const tracker = { isUp: false }
  const hooks = new Hooks({ secret: 'the server sets another secret', logger: false })
  const file = () => (tracker.isUp ? 'filed' : Promise.reject(new Error('No tracker')))
  hooks.on('issues', { name: 'tracker', attempts: 1 }, file)
  hooks.on('pull_request', { name: 'ci' }, () => Promise.reject(new Retry({ after: 3_600_000 })))
  hooks.on('ping', { name: 'ping' }, () => 'pong')
  const scene = await openScene(hooks)
  const page = await scene.open()
  beforeEach(async () => {
    tracker.isUp = false
    await reloadAt(page, '#/deliveries')
  })
  const row = (text: string) => rows(page).filter({ hasText: text })
  return {
    ...{ scene, page, tracker, row },
    button: (name) => page.getByRole('button', { name }),
    said: (text) => page.getByRole('status').getByText(text).last(),
    async fail(...numbers) {
      for (const number of numbers) await scene.deliver('issues', issue(number))
      for (const number of numbers) await row(`Bug ${number}`).filter({ hasText: 'dead' }).waitFor()
    },
  }
}
