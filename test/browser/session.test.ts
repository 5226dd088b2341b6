import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page, Route } from 'playwright-core'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { Hooks } from '../../src/index.ts'
import { adminToken } from '../server/watched.ts'
import { launch } from './chromium.ts'
import { issue } from './payloads.ts'
import { intercept, openScene, readOnlyToken, rows, type Scene } from './scene.ts'

let scene: Scene

beforeAll(async () => {
  const hooks = new Hooks({ secret: 'the server sets another secret', logger: false })
  hooks.on('issues', { name: 'tracker', attempts: 1 }, () => Promise.reject(new Error('No tracker')))
  scene = await openScene(hooks, { readOnlyToken })
  await scene.deliver('issues', issue(1))
})

const closed = (page: Page): Page => {
  onTestFinished(() => page.context().close())
  return page
}
const stranger = async (): Promise<Page> => closed(await scene.stranger())
const token = (page: Page) => page.getByLabel('Token')
const logInAs = async (page: Page, what: string) => {
  await token(page).fill(what)
  await page.getByRole('button', { name: 'Log in' }).click()
}

describe('logging in', () => {
  test('asks for the token once, and continues to the requested page', async () => {
    const page = await stranger()
    await page.goto(`${scene.url}/#/deliveries?q=state:dead`)
    await logInAs(page, 'a wrong token')
    await page.getByRole('alert').filter({ hasText: 'Wrong token' }).waitFor()
    await logInAs(page, adminToken)
    await rows(page).first().waitFor()
    expect(page.url()).toMatch(/#\/deliveries\?q=state:dead$/)
    await page.reload()
    await rows(page).first().waitFor()
  })

  test('with the URL from the terminal leaves no token in the address or where a script could read it', async () => {
    const page = await stranger()
    await page.goto(`${scene.url}/#token=${adminToken}`)
    await rows(page).first().waitFor()
    expect(page.url()).not.toContain(adminToken)
    const kept = await page.evaluate('JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }])')
    expect(kept).not.toContain(adminToken)
    expect(await page.evaluate('document.cookie')).toBe('')
  })

  test('with the URL from the terminal also works in an open page, and leaves no token in the address', async () => {
    const page = await stranger()
    await page.goto(scene.url)
    await token(page).waitFor()
    await page.evaluate(`location.hash = '#token=${adminToken}'`)
    await rows(page).first().waitFor()
    expect(page.url()).not.toContain(adminToken)
    await page.goBack()
    expect(page.url()).not.toContain(adminToken)
  })

  test('is required again after a logout, which also revokes the cookie', async () => {
    const page = closed(await scene.open())
    const cookies = await page.context().cookies(`${scene.url}/api`)
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByText('You are logged out').waitFor()
    await page.context().addCookies(cookies)
    await page.reload()
    await token(page).waitFor()
  })

  test('is required again after the session has expired, and returns to the same page', async () => {
    const page = closed(await scene.open())
    await page.context().clearCookies()
    // Not by a click on a link: a pending request may get 401 first, and the login form then replaces the link.
    await page.goto(`${scene.url}/#/overview`)
    await page.getByText('Your session has ended').waitFor()
    await logInAs(page, adminToken)
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
  })
})

describe('a page that is open during an upgrade', () => {
  test('says so, and offers to reload', async () => {
    const page = closed(await scene.open())
    const upgraded = async (route: Route) => {
      const response = await route.fetch()
      const stats = await response.json()
      await route.fulfill({ response, json: { ...stats, process: { ...stats.process, version: '99.0.0' } } })
    }
    await intercept(page, '**/api/v1/stats', upgraded)
    await scene.deliver('ping', {}) // the page counts deliveries after a change
    const note = page.getByRole('alert').filter({ hasText: 'The server was upgraded.' })
    await note.waitFor()
    await note.getByRole('button', { name: 'Reload the page' }).click()
    await rows(page).first().waitFor()
    expect(await note.count()).toBe(0)
  })

  test('says so if the code that reads payloads is gone', async () => {
    const page = closed(await scene.browser.newPage()) // its errors are expected
    await page.route('**/assets/payload-worker*', (route) => route.fulfill({ status: 404 }))
    await page.goto(`${scene.url}/#token=${adminToken}`)
    await rows(page).first().waitFor()
    await page.goto(`${scene.url}/#/deliveries/1`)
    await page.getByText('could not be loaded. The server may have been upgraded. Reload the page').waitFor()
  })
})

test('an unknown page is reported', async () => {
  const page = closed(await scene.open('#/nowhere'))
  await page.getByRole('heading', { name: 'No such page' }).waitFor()
  await page.getByRole('link', { name: 'All deliveries' }).click()
  await rows(page).first().waitFor()
})

describe('the read-only token', () => {
  test('shows everything, and offers no changes', async () => {
    const page = closed(await scene.open('#/deliveries', { token: readOnlyToken }))
    await rows(page).first().waitFor()
    await page.getByText('read only').waitFor()
    expect(await page.getByRole('checkbox').count()).toBe(0)
    expect(await page.getByRole('button', { name: /Retry|Discard/ }).count()).toBe(0)
    expect(await page.getByRole('link', { name: 'Send' }).count()).toBe(0)
    await page.keyboard.press('j')
    await page.keyboard.press('r')
    await page.getByRole('link', { name: 'issues.opened' }).click()
    await page.getByRole('heading', { level: 1, name: 'issues.opened' }).waitFor()
    expect(await page.getByRole('button', { name: /Retry|Discard|curl/ }).count()).toBe(0)
    expect((await scene.ask('deliveries/1')).tasks[0].attempts).toHaveLength(1)
  })

  test('is rejected for a change that a script requests', async () => {
    const page = closed(await scene.open('#/deliveries', { token: readOnlyToken }))
    const status = await page.evaluate(
      "fetch('api/v1/deliveries/1/retry', { method: 'POST' }).then(({ status }) => status)",
    )
    expect(status).toBe(403)
  })
})

describe('another page', () => {
  /** A page of another origin, in a browser that has a session with the dashboard. */
  async function openElsewhere(html: string): Promise<Page> {
    const page = closed(await scene.browser.newPage()) // its errors are expected
    await page.goto(`${scene.url}/#token=${adminToken}`)
    await rows(page).first().waitFor()
    const server = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(html))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => void server.close())
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`)
    return page
  }

  test('may link to the dashboard', async () => {
    const page = await openElsewhere(`<a href="${scene.url}/#/deliveries">Look</a>`)
    await page.getByRole('link', { name: 'Look' }).click()
    await rows(page).first().waitFor()
  })

  test('cannot frame the dashboard', async () => {
    const page = await openElsewhere(`<iframe src="${scene.url}/" title="frame"></iframe>`)
    await expect.poll(() => page.frames().length).toBe(2)
    const [, frame] = page.frames()
    await expect.poll(() => frame?.url()).toMatch(/^chrome-error:/)
  })

  test('can neither read nor change anything with the cookie of its visitor', async () => {
    const page = await openElsewhere('<p>Hello</p>')
    const ask = (method: string, mode: string) =>
      page.evaluate(
        `fetch('${scene.url}/api/v1/deliveries/1/retry', { method: '${method}', mode: '${mode}', credentials: 'include' })
          .then(({ status }) => status, () => 'rejected')`,
      )
    expect(await ask('GET', 'cors')).toBe('rejected')
    expect(await ask('POST', 'cors')).toBe('rejected')
    expect(await ask('POST', 'no-cors')).toBe('rejected')
    expect((await scene.ask('deliveries/1')).tasks[0].attempts).toHaveLength(1)
  })

  test('cannot reach the dashboard through a host name that resolves to this server', async () => {
    const { port } = new URL(scene.url)
    const browser = await launch(['--host-resolver-rules=MAP evil.example 127.0.0.1'])
    onTestFinished(() => browser.close())
    const page = await browser.newPage()
    const answer = await page.goto(`http://evil.example:${port}/`)
    expect(answer?.status()).toBe(403)
    expect(await page.textContent('body')).toContain('--admin-url')
  })
})
