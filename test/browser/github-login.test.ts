/** The login with GitHub in a browser, against a local GitHub. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { Hooks } from '../../src/index.ts'
import { LocalGitHub } from '../../src/testing/index.ts'
import { issue } from './payloads.ts'
import { openScene, rows, type Scene } from './scene.ts'

let github: LocalGitHub
let scene: Scene

beforeAll(async () => {
  github = await LocalGitHub.start()
  afterAll(() => github.close())
  const callbackUrls = ['http://127.0.0.1/login/github/callback']
  const app = github.addApp({ id: 7, callbackUrls, installations: [{ id: 9, account: 'acme' }] })
  github.addTeamMember('acme/ops', 'mona')
  github.addOrganizationMember('acme', 'lisa')
  vi.stubEnv('GITHUB_CLIENT_ID', app.clientId)
  vi.stubEnv('GITHUB_CLIENT_SECRET', app.clientSecret)
  const hooks = new Hooks({ secret: 'the server sets another secret', logger: false })
  hooks.on('issues', { name: 'tracker', attempts: 1 }, () => Promise.reject(new Error('Not filed')))
  const access = { adminGithubOperators: 'acme/ops', adminGithubViewers: 'acme' }
  scene = await openScene(hooks, { ...access, github: github.webUrl })
  await scene.deliver('issues', issue(1))
  await scene.settled()
})

/** Opens the dashboard as a user of GitHub, and clicks the button. */
async function leaveFor(login: string, place: string): Promise<Page> {
  github.signIn(login)
  const page = await scene.stranger()
  onTestFinished(() => page.context().close())
  await page.goto(`${scene.url}/${place}`)
  await page.getByRole('link', { name: 'Log in with GitHub' }).click()
  return page
}

const authorize = (page: Page) => page.getByRole('button', { name: 'Authorize app-7' }).click()

test('returns an operator to the screen, and names the operator in the audit log', async () => {
  const page = await leaveFor('mona', '#/deliveries?q=state:dead')
  await authorize(page)
  await rows(page).first().waitFor()
  expect(page.url()).toBe(`${scene.url}/#/deliveries?q=state:dead`)
  await page.getByRole('banner').getByText('mona').waitFor()
  await rows(page).first().getByRole('link').first().click()
  await page.getByRole('button', { name: 'Retry' }).first().click()
  await page.getByText('Delivery 1 is pending').waitFor()
  await page.getByRole('link', { name: 'Audit log' }).click()
  const entries = page.getByRole('table', { name: 'Audit log' }).locator('tbody tr')
  await entries.nth(1).waitFor()
  expect(await entries.allInnerTexts()).toEqual([
    expect.stringMatching(/mona\s+github.*retry 1 delivery/s),
    expect.stringMatching(/mona\s+github.*login/s),
  ])
  expect(await page.evaluate('document.cookie')).toBe('')
  for (const act of ['pause', 'resume']) await scene.ask(`handlers/tracker/${act}`, {}) // as a holder of the token
  await page.reload()
  await expect.poll(() => entries.count()).toBe(4)
  await entries.getByRole('link', { name: 'mona' }).first().click()
  await expect.poll(() => entries.count()).toBe(2)
  await page.getByRole('link', { name: 'Everyone, not only mona' }).click()
  await expect.poll(() => entries.count()).toBe(4)
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByText('You are logged out.').waitFor()
  await page.getByRole('link', { name: 'Log in with GitHub' }).waitFor()
  await scene.settled()
})

test('shows a viewer no buttons that change something, and says why', async () => {
  const page = await leaveFor('lisa', '#/deliveries/1')
  await authorize(page)
  await page.getByText('delivery 1', { exact: true }).waitFor()
  expect(await page.getByRole('button', { name: /Retry|Discard/ }).count()).toBe(0)
  await page.getByText(/read only: lisa may only read/).waitFor()
})

test('says why a member of another organization cannot log in, and offers the token', async () => {
  const page = await leaveFor('hubot', '#/overview')
  await authorize(page)
  await page.getByText('Your account on GitHub has no access to this server.').waitFor()
  expect(page.url()).toBe(`${scene.url}/`)
  await page.getByLabel('Token').waitFor()
})

test('gives a member who was removed no further session', async () => {
  github.addOrganizationMember('acme', 'eve')
  const page = await leaveFor('eve', '')
  await authorize(page)
  await rows(page).first().waitFor()
  github.removeOrganizationMember('acme', 'eve')
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByRole('link', { name: 'Log in with GitHub' }).click()
  await page.getByText('Your account on GitHub has no access to this server.').waitFor()
})

test('starts no session after a callback with a forged state', async () => {
  github.addOrganizationMember('acme', 'ivan')
  const page = await leaveFor('ivan', '')
  await page.getByRole('button', { name: 'Authorize app-7' }).waitFor()
  await page.goto(`${scene.url}/login/github/callback?code=stolen&state=forged`)
  await page.getByText('The login was not finished in time, or began in another browser.').waitFor()
})

test('starts no session if GitHub revokes the token of the user', async () => {
  github.failAt(/^GET \/api\/v3\/user$/, { status: 401, body: {} })
  const page = await leaveFor('lisa', '') // who has authorized the App before
  await page.getByText('The login was not finished in time').waitFor()
  await page.getByRole('link', { name: 'Log in with GitHub' }).waitFor()
})

test('says so if the user cancels', async () => {
  github.addOrganizationMember('acme', 'ada')
  const page = await leaveFor('ada', '')
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByText('You have not authorized the App on GitHub.').waitFor()
})
