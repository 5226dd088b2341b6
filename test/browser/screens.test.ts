import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Scene } from './scene.ts'
import { hostile, hostileGroup, openHostileScene, testScreens } from './screens.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openHostileScene()
})

// `widths.campaign.ts` has the other widths, and the light color scheme.
testScreens({ looks: [{ width: 390, colorScheme: 'dark' }], hasTouch: true }, () => scene)
testScreens(
  {
    looks: [{ width: 1440, colorScheme: 'light' }],
    hasForcedColors: true,
    only: ['delivery beside the list', 'overview', 'failures', 'handlers'],
  },
  () => scene,
)

describe('hostile text', () => {
  let page: Page
  beforeAll(async () => {
    page = await scene.open()
    return () => page.context().close()
  })
  const text = () => page.locator('main').textContent()

  test('is shown as text in the list', async () => {
    await page.goto(`${scene.url}/#/deliveries`)
    await page.getByRole('table', { name: 'Deliveries' }).getByText(hostile.script).first().waitFor()
    expect(await text()).toContain('invoice ⟨U+202E⟩fdp.exe')
    expect(await text()).toContain('half \ufffd an emoji')
    expect(await text()).toContain('"><script>alert(4)</script>')
  })

  test('is shown as text in a delivery: errors, logs, return values and the payload', async () => {
    await page.goto(`${scene.url}/#/deliveries/1`)
    await page.getByText(`Error: ${hostile.script}`).first().waitFor()
    await page.getByRole('tree').waitFor()
    expect(await page.locator('a[href^="javascript"]').count()).toBe(0)
    await page.goto(`${scene.url}/#/deliveries/7`)
    await page.getByText('deploy').first().waitFor()
    expect(await text()).toContain('⟨U+202E⟩')
  })

  test('is shown as text in the failures', async () => {
    await page.goto(`${scene.url}/#/failures`)
    await page.getByRole('table').getByText(hostile.script).first().waitFor()
    await page.goto(`${scene.url}/#/failures/${hostileGroup}`)
    await page.getByText(`Error: ${hostile.script}`).first().waitFor()
    expect(await page.locator('main img').count()).toBe(0)
  })

  test('is shown as text among the handlers and the rejected requests', async () => {
    await page.goto(`${scene.url}/#/handlers`)
    await page.getByText(hostile.script).first().waitFor()
    await page.goto(`${scene.url}/#/rejections`)
    await page.locator('.request button').first().click()
    await page.getByText(hostile.script).first().waitFor()
  })
})
