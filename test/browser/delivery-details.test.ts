/** The parts of the page of a delivery other than the payload: its handlers, its times, its link, and comparisons. */
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { Hooks } from '../../src/index.ts'
import type { TaskDetail } from '../../src/server/api/schemas/responses.ts'
import { issue } from './payloads.ts'
import { openScene, type Scene } from './scene.ts'

let scene: Scene
let page: Page
let id: number

beforeAll(async () => {
  const hooks = new Hooks({ secret: 'the server sets another secret', logger: false })
  hooks.on('issues', { name: 'audit' }, () => undefined)
  hooks.on('push', { name: 'deploy', order: 'repository' }, () => deployed.promise)
  hooks.on('issues', { name: 'tracker', attempts: 1 }, () => Promise.reject(new Error('No tracker')))
  scene = await openScene(hooks)
  page = await scene.open()
  id = await deliver(issue(7))
  await scene.settled()
})

/** The end of every call of `deploy`. */
const deployed = Promise.withResolvers<void>()

/** Delivers a payload. @returns The id of the delivery. */
async function deliver(payload: object): Promise<number> {
  await scene.deliver('issues', payload)
  return scene.newest()
}

const show = (id: number) => scene.show(page, id)
const button = (name: string | RegExp) => page.getByRole('button', { name })
const tab = (name: string) => page.getByRole('tab', { name })
const clipboard = () => page.evaluate('navigator.clipboard.readText()')

describe('the page of a delivery', () => {
  beforeAll(() => show(id))

  test('shows the failing handler first, and links to itself', async () => {
    const handlers = page.locator('.task h3')
    expect(await handlers.allTextContents()).toEqual([
      expect.stringContaining('tracker'),
      expect.stringContaining('audit'),
    ])
    const terms = page.getByRole('region', { name: 'Request' }).locator('dt[title]')
    expect(await terms.allTextContents()).toEqual(['GUID', 'Hook id', 'Source'])
    await button('Copy link').click()
    await expect.poll(clipboard).toBe(`${scene.url}/#/deliveries/${id}`)
  })

  test('links to the delivery that an ordered one waits for', async () => {
    const push = { repository: { full_name: 'acme/shop' } }
    await scene.deliver('push', push)
    const first = await scene.newest()
    await scene.deliver('push', push)
    await show(await scene.newest())
    const link = page.getByText(/^Waits: delivery \d+ with this order key has to end first\.$/).getByRole('link')
    expect(await link.getAttribute('href')).toBe(`#/deliveries/${first}`)
    deployed.resolve()
    await scene.settled()
    await show(id)
  })

  test('shows the waits and attempts of each handler on one axis, failing handlers first', async () => {
    const lanes = page.locator('.waterfall li')
    expect(await lanes.locator('.foreign').allTextContents()).toEqual(['tracker', 'audit'])
    const says = await lanes.getByRole('img').evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')))
    expect(says[0]).toMatch(/^tracker is dead: (waited .*, )?attempt 1 dead after /)
    expect(says[1]).toMatch(/^audit is done: (waited .*, )?attempt 1 succeeded after /)
    await page.setViewportSize({ width: 390, height: 800 })
    const box = (await lanes.first().getByRole('img').boundingBox()) ?? { x: 0, width: 0 }
    expect(box.width).toBeGreaterThan(250)
    expect(box.x + box.width).toBeLessThanOrEqual(390)
    await page.setViewportSize({ width: 1280, height: 800 })
  })

  test('shows its times in the 24-hour clock, and in UTC on request', async () => {
    const other = await scene.open(`#/deliveries/${id}`, { timezoneId: 'Asia/Tokyo', locale: 'en-US' })
    const exact = other.locator('.request dl > div', { has: other.getByText('Received', { exact: true }) })
    await exact.getByText('GMT+9').waitFor()
    await other.getByLabel('Times in UTC').check()
    await exact.getByText('UTC').waitFor()
    expect(await exact.textContent()).not.toMatch(/[AP]M/)
    await other.reload()
    await exact.getByText('UTC').waitFor()
    await other.context().close()
  })

  test('shows the date of an old delivery, and a discarded attempt not as a success', async () => {
    await page.route(`**/api/v1/deliveries/${id}`, async (route) => {
      const response = await route.fetch()
      const detail = await response.json()
      const attempts = [{ number: 1, startedAt: detail.receivedAt + 5, outcome: 'discarded', duration: 1 }]
      const tasks = [{ handler: 'tracker', state: 'discarded', attempts }]
      await route.fulfill({ response, json: { ...detail, tasks, receivedAt: detail.receivedAt - 3 * 86_400_000 } })
    })
    await page.reload()
    await page.locator('.timeline li.off').getByText('discarded').waitFor()
    const received = page.locator('.timeline li').first().locator('time')
    expect(await received.textContent()).toMatch(/\w{3} \d+, \d{4}, \d\d:\d\d:\d\d$/)
    await page.unrouteAll({ behavior: 'wait' })
    await page.reload()
    await page.locator('.timeline').getByText('dead').waitFor()
  })

  test('runs one handler again, after a question if it has succeeded', async () => {
    const statesOf = async () => {
      const { tasks } = await scene.ask(`deliveries/${id}`)
      return tasks.map(({ handler, state, attempts }: TaskDetail) => [handler, state, attempts.length])
    }
    await button('Run this handler again (audit)').click()
    await page.getByRole('dialog').getByText('The other handlers will not').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    await button('Run this handler again (tracker)').click()
    await page.getByRole('status').getByText(`Handler tracker of delivery ${id} is pending`).waitFor()
    await scene.settled()
    expect(await statesOf()).toEqual([
      ['audit', 'done', 1],
      ['tracker', 'dead', 2],
    ])
    await button('Run this handler again (audit)').click()
    await page.getByRole('dialog').getByRole('button', { name: 'Run again' }).click()
    await page.getByRole('status').getByText(`Handler audit of delivery ${id} is pending`).waitFor()
    await scene.settled()
    expect((await statesOf())[0]).toEqual(['audit', 'done', 2])
  })
})

test('a delivery is compared with a chosen one, by its number or by two selected rows', async () => {
  const long = 'word'.repeat(2000)
  const older = await deliver({ action: 'opened', issue: { number: 51, title: 'One', body: long } })
  const newer = await deliver({ action: 'opened', issue: { number: 52, title: 'Two', body: 'short' } })
  await show(newer)
  await tab('Difference').click()
  await page.getByLabel('Compare with delivery').fill(String(older))
  await button('Compare').click()
  const cells = page.getByRole('region', { name: 'Differences' }).locator('tbody tr', { hasText: 'issue.body' })
  await cells.getByText('"short"').waitFor()
  expect(page.url()).toMatch(new RegExp(`/deliveries/${newer}\\?compare=${older}$`))
  const card = (await page.locator('.payload').boundingBox()) ?? { x: 0, width: 0 }
  const after = (await cells.locator('td').last().boundingBox()) ?? { x: 0, width: 0 }
  expect(after.x + after.width).toBeLessThanOrEqual(card.x + card.width)
  await page.setViewportSize({ width: 390, height: 800 })
  const cell = (await cells.locator('td').last().boundingBox()) ?? { x: 0, width: 0 }
  expect(cell.x + cell.width).toBeLessThanOrEqual(390)
  await page.setViewportSize({ width: 1280, height: 800 })
  await page.getByLabel('Compare with delivery').fill('999999')
  await page.keyboard.press('Enter')
  await page.getByRole('alert').getByText('There is no delivery 999999').waitFor()

  await page.goto(`${scene.url}/#/deliveries`)
  for (const id of [newer, older]) await page.getByRole('checkbox', { name: `delivery ${id}` }).check()
  await page.getByRole('link', { name: 'Compare' }).click()
  await page.getByText(`Compared with issues.opened, delivery ${older}`).waitFor()
  expect(await page.getByRole('columnheader').allTextContents()).toEqual(
    expect.arrayContaining([`Delivery ${older}`, `Delivery ${newer}`]),
  )
})
