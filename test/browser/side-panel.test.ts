/** A delivery beside the list, on wide screens. */
import type { Page } from 'playwright-core'
import { beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { Hooks } from '../../src/index.ts'
import { issue } from './payloads.ts'
import { intercept, openScene, reloadAt, rows, type Scene } from './scene.ts'

let scene: Scene
let page: Page

beforeAll(async () => {
  const hooks = new Hooks({ secret: 'the server sets another secret', logger: false })
  hooks.on('issues', { name: 'tracker', attempts: 1 }, () => Promise.reject(new Error('No tracker')))
  scene = await openScene(hooks)
  for (let number = 1; number <= 30; number++) await scene.deliver('issues', issue(number))
  await scene.settled()
  page = await scene.open('#/deliveries', { viewport: { width: 1440, height: 800 } })
  return () => page.context().close()
})

beforeEach(async () => {
  await page.setViewportSize({ width: 1440, height: 800 })
  await reloadAt(page, '#/deliveries')
  await rows(page).first().waitFor()
})

const link = (id: number) => rows(page).locator(`a[href="#/deliveries/${id}"]`)
const panel = (id: number) => page.getByRole('complementary', { name: `Delivery ${id}`, exact: true })
const title = (id: number) => panel(id).getByText(`delivery ${id}`, { exact: true })
const focused = () => page.evaluate("document.activeElement.getAttribute('href')")

test('a click opens the delivery beside the list, and Back closes it', async () => {
  await link(29).click()
  await title(29).waitFor()
  expect(await focused()).toBe('#/deliveries/29')
  expect(await link(29).getAttribute('aria-current')).toBe('true')
  expect(await page.getByRole('heading', { level: 1 }).allTextContents()).toEqual(['Deliveries'])
  expect(page.url()).toMatch(/#\/deliveries\?open=29$/)
  await page.reload()
  await title(29).waitFor()
  await page.goBack()
  await panel(29).waitFor({ state: 'detached' })
  expect(await rows(page).count()).toBe(30)
})

test('the keys move the selection, the panel follows, and Esc closes it', async () => {
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await title(30).waitFor()
  await page.keyboard.press('j')
  await title(29).waitFor()
  expect(await focused()).toBe('#/deliveries/29')
  await page.keyboard.press('j')
  await page.keyboard.press('k')
  await title(29).waitFor()
  await panel(29).getByRole('button', { name: 'Copy link' }).focus()
  await page.keyboard.press('Escape')
  await panel(29).waitFor({ state: 'detached' })
  expect(await focused()).toBe('#/deliveries/29')
})

test('the rows keep their places while a delivery is open', async () => {
  await link(20).scrollIntoViewIfNeeded()
  await link(20).click()
  await title(20).waitFor()
  await page.evaluate('scrollTo(0, 0)')
  // Out of the list: new rows also wait while a row has the focus.
  await panel(20).getByRole('button', { name: 'Close' }).focus()
  const ids = () =>
    rows(page)
      .locator('a.open')
      .evaluateAll((links) => links.map((one) => one.getAttribute('href')))
  const before = await ids()
  await scene.deliver('issues', issue(31))
  await page.getByRole('button', { name: '1 new delivery' }).waitFor()
  expect(await ids()).toEqual(before)
})

test('one key press retries the open delivery once, and the panel shows its new state', async () => {
  const id = await scene.newest()
  await page.reload()
  await link(id).click()
  await title(id).waitFor()
  const retries: string[] = []
  page.on('request', (request) => request.url().endsWith('/retry') && retries.push(request.url()))
  await page.keyboard.press('r')
  await expect.poll(async () => (await scene.ask(`deliveries/${id}`)).tasks[0].attempts.length).toBe(2)
  await panel(id).getByText('2 attempts').first().waitFor()
  expect(retries).toHaveLength(1)
})

test('a narrow window shows the page of the delivery', async () => {
  await link(5).click()
  await title(5).waitFor()
  await page.setViewportSize({ width: 1000, height: 800 })
  await expect.poll(() => page.url()).toMatch(/#\/deliveries\/5$/)
  await page.getByRole('heading', { level: 1, name: 'issues.opened' }).waitFor()
  await page.keyboard.press('Escape')
  await rows(page).first().waitFor()
  await link(4).click()
  await expect.poll(() => page.url()).toMatch(/#\/deliveries\/4$/)
})

test('a link leads to the whole page, and Esc returns to the list with the delivery beside it', async () => {
  await link(7).click()
  await panel(7).getByRole('link', { name: 'Whole page' }).click()
  await page.getByRole('heading', { level: 1, name: 'issues.opened' }).waitFor()
  await page.keyboard.press('Escape')
  await title(7).waitFor()
  await panel(7).getByRole('button', { name: 'Close' }).click()
  await panel(7).waitFor({ state: 'detached' })
  await link(7).click({ modifiers: ['ControlOrMeta'] })
  expect(page.url()).not.toContain('open=')
})

test('an error belongs to its delivery, and hides the delivery before it', async () => {
  const held = Promise.withResolvers<void>()
  await intercept(page, /\/deliveries\/29$/, (route) => route.fulfill({ status: 404 }))
  await intercept(page, /\/deliveries\/28$/, (route) => held.promise.then(() => route.continue()))
  await intercept(page, /\/deliveries\/27$/, (route) => route.fulfill({ status: 500 }))
  onTestFinished(() => page.unrouteAll())
  await link(29).click()
  await panel(29).getByText('There is no delivery 29').waitFor()
  await page.keyboard.press('j')
  await panel(28).getByText('Loading…').waitFor()
  held.resolve()
  await title(28).waitFor()
  await page.keyboard.press('j')
  await panel(27).getByRole('alert').waitFor()
  expect(await panel(27).getByRole('button', { name: 'Retry' }).count()).toBe(0)
  expect(await panel(27).getByText('delivery 28', { exact: true }).count()).toBe(0)
})

test('a delivery that was deleted is reported', async () => {
  await page.goto(`${scene.url}/#/deliveries?open=999`)
  await panel(999).getByText('There is no delivery 999').waitFor()
})
