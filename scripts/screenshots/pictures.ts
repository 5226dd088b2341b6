import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Locator, Page } from 'playwright-core'
import type { Page as Deliveries } from '../../src/inbox/records.ts'
import { launch } from '../../test/browser/chromium.ts'
import type { Served } from '../served.ts'
import { reduceColors } from './png.ts'

/** In CSS pixels. A shorter page has a lower picture, with a margin below its content. */
const margin = 24
const usual = { width: 1280, height: 800 }
/** So wide that a delivery opens beside the list. */
const wide = { width: 1440, height: 800 }
const low = { width: 1280, height: 480 }

/** The limit of a screenshot in bytes. */
const maxBytes = 200_000

interface Options {
  viewport?: typeof usual
  /** Changes the open screen before the picture is taken. */
  act?: () => Promise<unknown>
}

/** The name of the pictures of a screen, its address, and a part of its content. */
type Screen = readonly [name: string, address: string, content: Locator, options?: Options]

/**
 * Takes the screenshots in light and dark, each when the page shows its content.
 * @param served A server with deliveries.
 * @param empty A server without deliveries, which has rejected a request.
 */
export async function takePictures(served: Served, empty: Served, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const browser = await launch()
  try {
    const page = await openPage(browser)
    await logIn(page, served)
    const { deliveries } = await served.get<Deliveries>('/deliveries?state=dead&event=push')
    const { failures } = await served.get<{ failures: { id: number }[] }>('/failures')
    const openPalette = async () => {
      await page.getByRole('button', { name: 'Commands' }).click()
      await page.getByRole('combobox', { name: 'Command' }).fill('dep')
    }
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
      ['side-panel', `/deliveries?open=${deliveries[0]?.id}`, page.getByRole('tree'), { viewport: wide }],
      ['palette', '/deliveries', page.getByRole('option', { name: 'Pause deploy' }), { act: openPalette }],
    ]
    for (const screen of screens) await takeBoth(page, served, folder, screen)
    const newcomer = await openPage(browser)
    await takeBoth(newcomer, empty, folder, ['login', '', newcomer.getByLabel('Token'), { viewport: low }])
    await logIn(newcomer, empty)
    const rejection = newcomer.getByRole('region', { name: 'The last rejected request' })
    await takeBoth(newcomer, empty, folder, ['first-delivery', '/deliveries', rejection])
  } finally {
    await browser.close()
  }
}

const openPage = (browser: Browser): Promise<Page> =>
  browser.newPage({
    ...{ viewport: usual, deviceScaleFactor: 1.5 },
    ...{ colorScheme: 'light', reducedMotion: 'reduce', locale: 'en-GB' },
  })

async function logIn(page: Page, served: Served): Promise<void> {
  await page.goto(`${served.adminUrl}/#token=${served.token}`)
  await page.getByRole('button', { name: 'Log out' }).waitFor()
}

async function takeBoth(page: Page, served: Served, folder: string, screen: Screen): Promise<void> {
  const [name, address, content, { viewport = usual, act } = {}] = screen
  await page.setViewportSize(viewport)
  await page.goto(`${served.adminUrl}/#${address}`)
  await page.reload() // the list starts at its top, and no dialog is open
  await act?.()
  await content.waitFor()
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await take(page, join(folder, `${name}-${colorScheme}.png`), viewport)
  }
}

async function take(page: Page, file: string, { width, height }: typeof usual): Promise<void> {
  const content = await page.locator('main').evaluate((main) => main.lastElementChild?.getBoundingClientRect().bottom)
  const clip = { x: 0, y: 0, width, height: Math.min(height, Math.ceil(content ?? height) + margin) }
  const picture = reduceColors(await page.screenshot({ animations: 'disabled', caret: 'hide', clip }))
  if (picture.length > maxBytes) throw new Error(`${file} has ${picture.length} bytes; the limit is ${maxBytes}`)
  writeFileSync(file, picture)
  console.log(`${file}: ${Math.round(picture.length / 1000)} kB`)
}
