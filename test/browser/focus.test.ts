import type { Page } from 'playwright-core'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Hooks } from '../../src/index.ts'
import { issue } from './payloads.ts'
import { openScene, reloadAt, rows, type Scene } from './scene.ts'

let scene: Scene
let page: Page

beforeAll(async () => {
  const hooks = new Hooks({ secret: 'the server sets another secret', logger: false })
  hooks.on('issues', { name: 'tracker', attempts: 1 }, () => Promise.reject(new Error('No tracker')))
  scene = await openScene(hooks)
  for (const number of [1, 2, 3]) await scene.deliver('issues', issue(number))
  await scene.settled()
  page = await scene.open()
})

beforeEach(async () => {
  await reloadAt(page, '#/deliveries')
  await row('Bug 3').waitFor()
})

const row = (text: string) => rows(page).filter({ hasText: text })
const button = (name: string | RegExp) => page.getByRole('button', { name })
const dialog = (name: string | RegExp) => page.getByRole('dialog', { name })
/** The name or the id of the focused element. */
const focused = () =>
  page.evaluate(
    "(({ id, ariaLabel, innerText, tagName }) => id || ariaLabel || (tagName === 'BODY' ? '' : innerText.trim()))(document.activeElement)",
  )

describe('the focus returns to its element', () => {
  test.each(['Escape', 'Close'])('when a dialog is closed by %s', async (how) => {
    await button('Keyboard help').press('Enter')
    await dialog('Keyboard').waitFor()
    if (how === 'Escape') await page.keyboard.press('Escape')
    else await dialog('Keyboard').getByRole('button', { name: 'Close' }).press('Enter')
    await dialog('Keyboard').waitFor({ state: 'detached' })
    await expect.poll(focused).toBe('Keyboard help')
  })

  test('when a question is answered', async () => {
    await row('Bug 3').getByRole('link').click()
    await button('Discard').press('Enter')
    await dialog(/^Discard delivery/)
      .getByRole('button', { name: 'Cancel' })
      .press('Enter')
    await expect.poll(focused).toBe('Discard')
  })
})

test('the Back button closes a dialog, which belongs to the page before', async () => {
  await row('Bug 3').getByRole('link').click()
  await button('Discard').click()
  await dialog(/^Discard delivery/).waitFor()
  await page.goBack()
  await row('Bug 3').waitFor()
  await dialog(/^Discard delivery/).waitFor({ state: 'detached' })
})

describe('the focus passes', () => {
  test('the suggestions of the search, which close', async () => {
    await page.getByRole('combobox', { name: 'Search deliveries' }).focus()
    await page.getByRole('option').first().waitFor()
    await page.keyboard.press('Tab')
    expect(await focused()).toMatch(/^Saved/)
  })

  test('the commands of the palette', async () => {
    await page.keyboard.press('Control+k')
    await dialog('Commands').getByRole('option').first().waitFor()
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.role')).not.toBe('listbox')
    await page.keyboard.press('Escape')
  })
})

describe('the content gets the focus', () => {
  test('when the focused button disappears', async () => {
    await row('Bug 2').getByRole('link').click()
    await button('Discard').press('Enter')
    await dialog(/^Discard delivery/)
      .getByRole('button', { name: 'Discard' })
      .press('Enter')
    await page.locator('.head').getByText('discarded').waitFor()
    await expect.poll(focused).toBe('main')
  })

  test('when the selection is cleared', async () => {
    await row('Bug 1').getByRole('checkbox').check()
    await button('Clear selection').press('Enter')
    await expect.poll(focused).toBe('main')
  })
})
