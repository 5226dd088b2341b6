import { expect, test } from 'vitest'
import { Hooks } from '../../src/index.ts'
import { openScene } from './scene.ts'

test('a payload of 24 MB is expanded, searched and scrolled to its end', async () => {
  const hooks = new Hooks({ secret: 'the server sets another secret', logger: false })
  hooks.on('issues', { name: 'tracker' }, () => 'filed')
  const scene = await openScene(hooks)
  const page = await scene.open()
  const chosen = () => page.getByRole('treeitem', { selected: true })
  const list = Array.from({ length: 300_000 }, (_, index) => ({
    id: index,
    name: `row ${index}`,
    user: { login: 'u' },
  }))
  const filling = 'x'.repeat(24_000_000 - JSON.stringify({ list }).length)
  await scene.deliver('issues', { list, filling })
  await scene.show(page, await scene.newest())
  await page.getByLabel('Expand to level').selectOption({ label: '3' })
  await page.getByText('too many objects').waitFor()
  await page.getByRole('tree').press('End')
  await expect.poll(() => chosen().locator('.name').textContent()).toBe('filling')
  await page.getByRole('searchbox').fill('row 299999')
  await page.getByText('1 of 1').waitFor()
  await expect.poll(() => chosen().textContent()).toContain('"row 299999"')
  await page.getByRole('tab', { name: 'Text' }).click()
  await page.locator('.slice').first().waitFor()
})
