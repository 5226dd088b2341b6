import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import type { Page as Deliveries } from '../../src/inbox/records.ts'
import { launch } from '../../test/browser/chromium.ts'
import type { Served } from '../served.ts'
import { reduceColors } from './png.ts'

/** The limit of a screenshot in bytes. */
const maxBytes = 200_000

/** Takes the screenshots, each when the page shows its content. */
export async function takePictures(served: Served, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const browser = await launch()
  try {
    const page = await browser.newPage({
      ...{ viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1.5 },
      ...{ colorScheme: 'light', reducedMotion: 'reduce', locale: 'en-GB' },
    })
    await page.goto(`${served.adminUrl}/#token=${served.token}`)
    await page.getByRole('row').filter({ hasText: 'running' }).waitFor()
    await take(page, join(folder, 'deliveries.png'))
    await page.emulateMedia({ colorScheme: 'dark' })
    await take(page, join(folder, 'deliveries-dark.png'))
    await page.emulateMedia({ colorScheme: 'light' })

    const { deliveries } = await served.get<Deliveries>('/deliveries?state=dead&event=push')
    await page.goto(`${served.adminUrl}/#/deliveries/${deliveries[0]?.id}`)
    await page.getByRole('tree').getByRole('treeitem').first().waitFor()
    await take(page, join(folder, 'delivery.png'))

    await page.goto(`${served.adminUrl}/#/overview?window=24h`)
    await page.locator('.charts canvas').nth(2).waitFor()
    await take(page, join(folder, 'overview.png'))
  } finally {
    await browser.close()
  }
}

async function take(page: Page, file: string): Promise<void> {
  const picture = reduceColors(await page.screenshot({ animations: 'disabled', caret: 'hide' }))
  if (picture.length > maxBytes) throw new Error(`${file} has ${picture.length} bytes; the limit is ${maxBytes}`)
  writeFileSync(file, picture)
  console.log(`${file}: ${Math.round(picture.length / 1000)} kB`)
}
