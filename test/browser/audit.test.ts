/** The audit log in a browser. */
import type { Page } from 'playwright-core'
import { beforeAll, expect, test } from 'vitest'
import { Hooks } from '../../src/index.ts'
import { issue } from './payloads.ts'
import { openScene, readOnlyToken, rows, type Scene } from './scene.ts'

let scene: Scene
let page: Page

beforeAll(async () => {
  const hooks = new Hooks({ secret: 'the server sets another secret', logger: false })
  hooks.on('issues', { name: 'tracker', attempts: 1 }, () => Promise.reject(new Error('Not filed')))
  scene = await openScene(hooks, { readOnlyToken })
  for (let number = 1; number <= 120; number++) await scene.deliver('issues', issue(number))
  await scene.settled()
  page = await scene.open()
})

const entries = () => page.getByRole('table', { name: 'Audit log' }).locator('tbody tr')

test('shows a discard of many deliveries as one entry, and links its deliveries', async () => {
  await page.goto(`${scene.url}/#/deliveries?q=state:dead`)
  await rows(page).first().waitFor()
  await page.getByRole('button', { name: /^Discard all/ }).click()
  await page.getByLabel('Reason').fill('a test of the server')
  await page.getByRole('button', { name: 'Discard 120 deliveries' }).click()
  await page.getByText('Discarded 120 deliveries').waitFor()
  await page.getByRole('link', { name: 'Audit log' }).click()
  await entries().nth(1).waitFor()
  const [discard = '', login = ''] = await entries().allInnerTexts()
  expect(discard).toMatch(
    /token 127\.0\.0\.1\s+discard 120 deliveries\s+state:dead 120 119 118 .*…\s+a test of the server$/,
  )
  expect(login).toMatch(/token 127\.0\.0\.1\s+login/)
  await entries().first().getByRole('link', { name: '119', exact: true }).click()
  await page.getByText('delivery 119', { exact: true }).waitFor()
})

test('names no search if the operator selected rows', async () => {
  await page.goto(`${scene.url}/#/deliveries?q=state:discarded`)
  await rows(page).first().getByRole('checkbox').check()
  await page.getByRole('button', { name: 'Retry 1 selected…' }).click()
  await page.getByRole('button', { name: 'Retry 1 delivery' }).click()
  await page.getByText('1 delivery is pending').waitFor()
  await page.goto(`${scene.url}/#/audit`)
  await entries().first().waitFor()
  expect((await entries().allInnerTexts())[0]).toMatch(/retry 1 delivery\s+120$/)
})

test('selects an action, also for a visitor who may only read', async () => {
  const reader = await scene.open('#/audit', { token: readOnlyToken })
  const some = reader.getByRole('table', { name: 'Audit log' }).locator('tbody tr')
  await some.first().waitFor()
  await reader.getByLabel('Action').selectOption('pause')
  await reader.getByRole('heading', { name: 'No entries' }).waitFor()
  await reader.getByLabel('Action').selectOption('login')
  await some.first().waitFor()
  expect(await some.allInnerTexts()).toEqual([
    expect.stringMatching(/read-only token 127\.0\.0\.1\s+login/),
    expect.stringMatching(/token 127\.0\.0\.1\s+login/),
  ])
  await reader.context().close()
})

test('on a phone, the navigation scrolls to the current screen', async () => {
  const phone = await scene.open('#/audit', { viewport: { width: 390, height: 844 } })
  const link = phone.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: 'Audit log' })
  const isVisible = async () => {
    const { x = 0, width = 0 } = (await link.boundingBox()) ?? {}
    return width > 0 && x >= 0 && x + width <= 390
  }
  await expect.poll(isVisible).toBe(true)
  await phone.context().close()
})
