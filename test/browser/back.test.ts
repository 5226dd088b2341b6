import type { Page } from 'playwright-core'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { intercept, openScene, type Scene } from './scene.ts'

let scene: Scene
/** A page with a session. The tabs of the tests share its cookie. */
let first: Page

beforeAll(async () => {
  scene = await openScene(undefined)
  first = await scene.open()
  await first.goto('about:blank')
  await scene.deliverMany(40, 'ping')
})

/** A page in a new tab, opened at a route of the dashboard, without earlier entries in its history. */
async function openFirst(place: string): Promise<Page> {
  const tab = await first.context().newPage()
  onTestFinished(() => tab.close())
  await tab.goto(`${scene.url}/${place}`)
  return tab
}
const heading = (page: Page) => page.getByRole('heading', { level: 1, name: 'ping' })
const list = (page: Page) => page.getByRole('table', { name: 'Deliveries' })
const back = (page: Page) => page.getByRole('link', { name: 'Back to the list' })

test.each(['Escape', 'link'])('going back by %s stays in the dashboard', async (how) => {
  const page = await openFirst('#/deliveries/2')
  await heading(page).waitFor()
  await page.getByRole('link', { name: 'Deliveries', exact: true }).click()
  await list(page).waitFor()
  await page.goBack()
  await heading(page).waitFor()
  if (how === 'Escape') await page.keyboard.press('Escape')
  else await back(page).click()
  await list(page).waitFor()
})

test('going back leads to the unchanged list, and not to the form that created a delivery', async () => {
  const page = await openFirst('#/deliveries?q=event:ping')
  await list(page).waitFor()
  await page.getByRole('link', { name: 'Send' }).click()
  await page.getByRole('textbox', { name: 'Payload, as JSON' }).getByText('"ref"').first().waitFor()
  await page.getByRole('button', { name: 'Send' }).click()
  await back(page).waitFor()
  await page.keyboard.press('Escape')
  await expect.poll(() => page.url()).toMatch(/#\/deliveries\?q=event(:|%3A)ping$/)
})

const focused = (page: Page) => page.evaluate("document.activeElement.getAttribute('href')")

test.each(['Escape', 'link', 'Back'])('going back by %s focuses the opened row, and scrolls to it', async (how) => {
  const page = await openFirst('#/deliveries')
  await page.locator('a[href="#/deliveries/2"]').click()
  await heading(page).waitFor()
  if (how === 'Escape') await page.keyboard.press('Escape')
  else if (how === 'link') await back(page).click()
  else await page.goBack()
  await expect.poll(() => focused(page)).toBe('#/deliveries/2')
  const { y = 0 } = (await page.locator('a[href="#/deliveries/2"]').boundingBox()) ?? {}
  expect(y).toBeGreaterThan(100)
  expect(y).toBeLessThan(700)
})

test('the navigation leads to the top of the list', async () => {
  const page = await openFirst('#/deliveries/2')
  await heading(page).waitFor()
  await page.getByRole('link', { name: 'Deliveries', exact: true }).click()
  await list(page).waitFor()
  expect(await page.evaluate('[scrollY, document.activeElement.id]')).toEqual([0, 'main'])
})

test('going back leads to the same list and to the opened row', async () => {
  const page = await openFirst('#/deliveries')
  await page.locator('a[href="#/deliveries/4"]').click()
  await heading(page).waitFor()
  const length = await page.evaluate('history.length')
  await page.keyboard.press('Escape')
  await page.locator('tr.last a[href="#/deliveries/4"]').waitFor()
  await page.keyboard.press('k')
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await expect.poll(() => page.url()).toMatch(/#\/deliveries\/4$/)
  expect(await page.evaluate('history.length')).toBe(length)
})

test('keys and buttons show the next and the previous delivery, and Esc returns to its row', async () => {
  const page = await openFirst('#/deliveries')
  await page.locator('a[href="#/deliveries/20"]').click()
  await page.getByText('delivery 20', { exact: true }).waitFor()
  await page.keyboard.press('j')
  await page.getByText('delivery 19', { exact: true }).waitFor()
  await page.keyboard.press('k')
  await page.getByText('delivery 20', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Previous delivery' }).click()
  await page.getByText('delivery 21', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Next delivery' }).click()
  await page.getByText('delivery 20', { exact: true }).waitFor()
  await page.keyboard.press('k')
  await page.getByText('delivery 21', { exact: true }).waitFor()
  await page.keyboard.press('Escape')
  await expect.poll(() => focused(page)).toBe('#/deliveries/21')
})

test('j stays in the search behind the last row of the list, and k returns', async () => {
  const page = await openFirst('#/deliveries/1')
  for (const action of ['created', 'deleted', 'created', 'deleted']) await scene.deliver('label', { action })
  await scene.deliverMany(50, 'label', () => ({ action: 'created' }))
  const { deliveries } = await scene.ask('deliveries?q=action:created&limit=52')
  const [last, next, oldest] = deliveries.slice(-3).map(({ id }: { id: number }) => id)
  await page.goto(`${scene.url}/#/deliveries?q=action:created`)
  await page.locator(`a[href="#/deliveries/${last}"]`).click()
  const isShown = (id: number) => page.getByText(`delivery ${id}`, { exact: true }).waitFor()
  await isShown(last)
  for (const id of [next, oldest]) {
    await page.keyboard.press('j')
    await isShown(id)
  }
  await page.keyboard.press('j')
  await page.getByText('There is no older delivery').waitFor()
  await page.keyboard.press('k')
  await isShown(next)
})

test('j and k work on a delivery that was not opened from a list', async () => {
  const page = await openFirst('#/deliveries/2')
  await page.getByText('delivery 2', { exact: true }).waitFor()
  await page.keyboard.press('k')
  await page.getByText('delivery 3', { exact: true }).waitFor()
  for (const id of [2, 1]) {
    await page.keyboard.press('j')
    await page.getByText(`delivery ${id}`, { exact: true }).waitFor()
  }
  await page.keyboard.press('j')
  await page.getByText('There is no older delivery').waitFor()
})

test('going back finds the opened row behind newer deliveries', async () => {
  const page = await openFirst('#/deliveries?q=event:star')
  await scene.deliver('star', { action: 'created' })
  const id = await scene.newest()
  await page.locator(`a[href="#/deliveries/${id}"]`).click()
  await page.getByRole('heading', { level: 1, name: 'star' }).waitFor()
  await scene.deliverMany(55, 'star', () => ({ action: 'created' }))
  await page.keyboard.press('Escape')
  await expect.poll(() => focused(page)).toBe(`#/deliveries/${id}`)
})

test('a list that went back to its row has no gaps when more deliveries arrive at once than a page has', async () => {
  const page = await openFirst('#/deliveries?q=event:fork')
  await scene.deliver('fork', {})
  const id = await scene.newest()
  await page.locator(`a[href="#/deliveries/${id}"]`).click()
  await page.getByRole('heading', { level: 1, name: 'fork' }).waitFor()
  await scene.deliverMany(60, 'fork')
  await page.keyboard.press('Escape')
  await expect.poll(() => focused(page)).toBe(`#/deliveries/${id}`)
  // While a row has the focus, or while the page is scrolled, new rows would wait.
  await page.evaluate('document.activeElement.blur(); scrollTo(0, 0)')
  await expect.poll(() => page.evaluate('scrollY')).toBe(0)
  const polled = Promise.withResolvers<void>()
  const isEnough = Promise.withResolvers<void>()
  await intercept(page, '**/api/v1/deliveries?*', async (route) => {
    polled.resolve()
    await isEnough.promise
    await route.continue()
  })
  await scene.deliver('fork', {})
  await polled.promise
  await scene.deliverMany(90, 'fork')
  const newest = await scene.newest()
  isEnough.resolve()
  await page.locator(`a[href="#/deliveries/${newest}"]`).waitFor()
  const links = await list(page)
    .locator('a.open')
    .evaluateAll((all) => all.map((one) => one.getAttribute('href')))
  expect(links).toEqual(links.map((_, index) => `#/deliveries/${newest - index}`))
  await page.getByRole('link', { name: 'Older' }).click()
  await page.locator(`a[href="#/deliveries/${newest - links.length}"]`).waitFor()
})
