/** `hookserver serve` in this process, and its dashboard in a real browser with a logged-in operator. */

import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { afterAll, expect } from 'vitest'
import type { Hooks } from '../../src/hooks.ts'
import type { SignedRequestOptions } from '../../src/testing/index.ts'
import { eventually } from '../inbox/stores.ts'
import { adminToken, type Watched, watch } from '../server/watched.ts'
import { sharedBrowser } from './chromium.ts'

/** The read-only token of scenes that are opened with the flag `readOnlyToken`. */
export const readOnlyToken = 'a-read-only-token-for-the-tests'

type AtTheEnd = (work: () => Promise<void>) => void

export class Scene {
  readonly watched: Watched
  readonly browser: Browser
  /** Script errors, dialogs, and errors in the console, such as violations of the Content-Security-Policy. */
  readonly complaints: string[] = []
  readonly #contexts: BrowserContext[] = []

  constructor(watched: Watched, browser: Browser) {
    this.watched = watched
    this.browser = browser
  }

  get url(): string {
    return this.watched.service.adminUrl
  }

  /** A page at a route of the dashboard, with a session. */
  async open(place = '#/deliveries', options: BrowserContextOptions & { token?: string } = {}): Promise<Page> {
    const { token = adminToken, ...rest } = options
    const page = await this.stranger(rest)
    await page.goto(`${this.url}/#token=${token}`)
    await page.getByRole('button', { name: 'Log out' }).waitFor()
    await page.goto(`${this.url}/${place}`)
    return page
  }

  /** A page without a session. */
  async stranger(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
    this.#contexts.push(context)
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    context.on('weberror', (error) => this.complaints.push(String(error.error())))
    context.on('dialog', (dialog) => {
      this.complaints.push(`a dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    context.on('console', (message) => {
      // The browser logs answers that are not 2xx. The page shows these to the operator, so they are no complaints.
      const isAnswer = message.text().startsWith('Failed to load resource')
      if (message.type() === 'error' && !isAnswer) this.complaints.push(message.text())
    })
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    return page
  }

  async close(): Promise<void> {
    await Promise.all(this.#contexts.map((context) => context.close()))
  }

  /** Sends a delivery to the server as GitHub does. The server must accept it. */
  async deliver(event: string, payload: object | string, options: SignedRequestOptions = {}): Promise<void> {
    expect(await this.watched.deliver(event, { payload, ...options })).toBe(202)
  }

  /** Sends deliveries at the same time, so that an open page shows them together. */
  async deliverMany(count: number, event: string, payloadOf: (index: number) => object = () => ({})): Promise<void> {
    await Promise.all(Array.from({ length: count }, (_, index) => this.deliver(event, payloadOf(index))))
  }

  /** The API's answer. The request is a POST if there is a body. Otherwise it is a GET. */
  // biome-ignore lint/suspicious/noExplicitAny: the JSON of any answer, as a script sees it
  async ask(path: string, body?: unknown): Promise<any> {
    const headers = { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' }
    const init = body === undefined ? { headers } : { headers, method: 'POST', body: JSON.stringify(body) }
    return (await fetch(`${this.url}/api/v1/${path}`, init)).json()
  }

  /** The id of the newest delivery. */
  async newest(): Promise<number> {
    return (await this.ask('deliveries?limit=1')).deliveries[0].id
  }

  /** Shows a delivery on an open page. */
  async show(page: Page, id: number): Promise<void> {
    await page.goto(`${this.url}/#/deliveries/${id}`)
    await page.getByText(`delivery ${id}`, { exact: true }).waitFor()
  }

  /** Waits until no delivery is pending or running. */
  async settled(): Promise<void> {
    await eventually(async () => {
      const { states } = await this.ask('stats')
      expect(states.pending + states.running).toBe(0)
    })
  }
}

/** Loads the page again, at a route of the dashboard. Costs half as much as `goto`, which shows the route, and `reload`. */
export async function reloadAt(page: Page, place: string): Promise<void> {
  await page.evaluate(`history.replaceState(null, '', ${JSON.stringify(place)})`)
  await page.reload()
}

/**
 * `page.route()` for an open page. Resolves when requests take the route: Chromium lets some requests pass that follow
 * `page.route()` at once.
 */
export async function intercept(page: Page, ...route: Parameters<Page['route']>): Promise<void> {
  await page.route(...route)
  await page.route('**/intercepted', (probe) => probe.fulfill({ status: 204 }))
  await expect.poll(() => page.evaluate("fetch('./intercepted').then(({ status }) => status)")).toBe(204)
  await page.unroute('**/intercepted')
}

/** The rows of the list. */
export const rows = (page: Page): Locator =>
  page.getByRole('table', { name: 'Deliveries' }).locator('tbody tr:has(a.open)')

/** Sets the scene up for all tests of a file. After the last test, no page may have reported an error. */
export async function openScene(
  hooks: Hooks | undefined,
  flags: Readonly<Record<string, string>> = {},
  atTheEnd: AtTheEnd = afterAll,
): Promise<Scene> {
  const watched = await watch(hooks, { validateIp: 'false', ...flags }, atTheEnd)
  const scene = new Scene(watched, await sharedBrowser())
  atTheEnd(async () => {
    await scene.close()
    expect(scene.complaints).toEqual([])
  })
  return scene
}
