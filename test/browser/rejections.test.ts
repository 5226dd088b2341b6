import type { Page } from 'playwright-core'
import { beforeAll, expect, test } from 'vitest'
import { openScene, type Scene } from './scene.ts'

const image = '<img src=x onerror=alert(1)>'
let scene: Scene
let page: Page

beforeAll(async () => {
  scene = await openScene(undefined)
  await scene.watched.deliver('push', { secret: 'a wrong one', headers: { 'user-agent': image } })
  await scene.watched.deliver('push', { secret: 'a wrong one' })
  await scene.watched.deliver('push', { headers: { 'content-type': 'text/plain' } })
  page = await scene.open('#/rejections')
})

const goTo = (place: string) => page.goto(`${scene.url}/${place}`)
const table = () => page.getByRole('table', { name: 'Rejected requests, newest first' })
const requests = () => table().locator('tbody tr.request')

test('rejected requests are counted and filtered by code', async () => {
  await goTo('#/rejections')
  await expect.poll(() => requests().count()).toBe(3)
  const code = page.getByRole('link', { name: 'wrong_signature 2' })
  expect(await code.getAttribute('title')).toMatch(/^The signature of the request does not match/)
  await code.click()
  await expect.poll(() => requests().count()).toBe(2)
  expect(page.url()).toMatch(/#\/rejections\?code=wrong_signature$/)
  await page.locator('.explained').getByText('The signature of the request does not match any').waitFor()
})

test('every rejected request has a reason, and the explanation of a filtered code is shown once', async () => {
  await goTo('#/rejections?code=wrong_signature')
  await expect.poll(() => requests().count()).toBe(2)
  for (const reason of await requests().locator('.reason').allTextContents()) expect(reason).toMatch(/signature/)
  await requests().first().getByRole('button').click()
  await page.locator('tr.details').getByText('user-agent').waitFor()
  expect(await page.getByText('What to do: Compare the two secrets').count()).toBe(1)
})

test('rejected requests expand to the request, the reason and the fix', async () => {
  await goTo('#/rejections')
  await page.reload() // the previous test has opened a row
  await requests().last().getByRole('button').click()
  const open = page.locator('tr.details')
  await open.getByText('What to do: Compare the two secrets').waitFor()
  expect(await requests().last().getByRole('button').getAttribute('title')).toMatch(/^The signature of the request/)
  expect(await open.getByText('GUID', { exact: true }).getAttribute('title')).toMatch(/^GitHub’s id for a delivery/)
  expect(await open.locator('.headers dd').allTextContents()).toContain(image)
  expect(await page.locator('main img').count()).toBe(0)
})

test('rejected requests are a table with column headers, and each opens and closes', async () => {
  await goTo('#/rejections')
  await page.reload() // the previous test has opened a row
  await table().waitFor()
  expect(await table().getByRole('columnheader').allTextContents()).toEqual([
    ...['Details', 'When', 'Code', 'Status', 'Event', 'Address', 'Reason'],
  ])
  const [first, last] = [requests().first(), requests().last()]
  expect(await first.locator('td').allTextContents()).toEqual([
    ...['', expect.stringMatching(/now|ago/), 'unsupported_media_type', '415', 'push', '127.0.0.1'],
    'The body was compressed, or had a content type that GitHub does not send.',
  ])
  expect(await last.locator('.code').textContent()).toBe('wrong_signature')
  await first.click() // the user can click anywhere in the row
  await page.locator('tr.details').getByText('What to do: Configure the proxy').waitFor()
  await first.getByRole('button', { expanded: true }).press('Enter')
  await page.locator('tr.details').waitFor({ state: 'detached' })
})

test('shows that there are no rejected requests', async () => {
  await page.route('**/api/v1/rejections', (route) => route.fulfill({ json: { latest: [], counts: {} } }))
  await goTo('#/overview')
  await goTo('#/rejections')
  await page.getByRole('heading', { name: 'No rejected requests' }).waitFor()
  await page.unroute('**/api/v1/rejections')
})
