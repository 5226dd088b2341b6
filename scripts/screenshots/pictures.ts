import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Locator, Page } from 'playwright-core'
import type { Page as Deliveries } from '../../src/inbox/records.ts'
import { launch } from '../../test/browser/chromium.ts'
import type { Served } from '../served.ts'
import { reduceColors } from './png.ts'

/** In CSS pixels. A shorter page has a lower picture, with a margin below its content. */
const [width, height, margin] = [1280, 800, 24]

/** The limit of a screenshot in bytes. */
const maxBytes = 200_000

/** The name of the pictures of a screen, its address, and a part of its content. */
type Screen = readonly [name: string, address: string, content: Locator]

/** Takes the screenshots in light and dark, each when the page shows its content. */
export async function takePictures(served: Served, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const browser = await launch()
  try {
    const page = await browser.newPage({
      ...{ viewport: { width, height }, deviceScaleFactor: 1.5 },
      ...{ colorScheme: 'light', reducedMotion: 'reduce', locale: 'en-GB' },
    })
    await page.goto(`${served.adminUrl}/#token=${served.token}`)
    const { deliveries } = await served.get<Deliveries>('/deliveries?state=dead&event=push')
    const { failures } = await served.get<{ failures: { id: number }[] }>('/failures')
    const screens: readonly Screen[] = [
      ['deliveries', '/deliveries', page.getByRole('row').filter({ hasText: 'running' })],
      ['delivery', `/deliveries/${deliveries[0]?.id}`, page.getByRole('tree').getByRole('treeitem').first()],
      ['overview', '/overview?window=24h', page.locator('.charts canvas').nth(2)],
      ['failures', '/failures', page.getByRole('row').nth(1)],
      ['failure', `/failures/${failures[0]?.id}`, page.getByRole('heading', { name: 'Newest failure' })],
      ['handlers', '/handlers?window=24h', page.getByRole('row').nth(1)],
      ['handler', '/handlers/deploy?window=24h', page.locator('svg.lines').nth(1)],
      ['rejections', '/rejections', page.getByRole('row').nth(1)],
      ['github', '/github', page.getByText('https://hooks.acme.example/hooks').first()],
      ['audit', '/audit', page.getByRole('row').nth(1)],
      ['send', '/send', page.getByRole('button', { name: 'Send', disabled: false })],
    ]
    for (const [name, address, content] of screens) {
      await page.goto(`${served.adminUrl}/#${address}`)
      await content.waitFor()
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        await take(page, join(folder, `${name}-${colorScheme}.png`))
      }
    }
  } finally {
    await browser.close()
  }
}

async function take(page: Page, file: string): Promise<void> {
  const content = await page.locator('main').evaluate((main) => main.lastElementChild?.getBoundingClientRect().bottom)
  const clip = { x: 0, y: 0, width, height: Math.min(height, Math.ceil(content ?? height) + margin) }
  const picture = reduceColors(await page.screenshot({ animations: 'disabled', caret: 'hide', clip }))
  if (picture.length > maxBytes) throw new Error(`${file} has ${picture.length} bytes; the limit is ${maxBytes}`)
  writeFileSync(file, picture)
  console.log(`${file}: ${Math.round(picture.length / 1000)} kB`)
}
