import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { signedRequest } from 'hookserver/testing'
import type { Browser, Locator, Page, Route } from 'playwright-core'
import type { Page as Deliveries } from '../../src/inbox/records.ts'
import { day } from '../../src/runtime/units.ts'
import type { Recovery } from '../../src/server/api/schemas/responses.ts'
import { launch } from '../../test/browser/chromium.ts'
import type { Served } from '../served.ts'
import { missedDeliveries } from './outage.ts'
import { payloadOf } from './payload.ts'
import { reduceColors } from './png.ts'

/** In CSS pixels. A shorter page has a lower picture, with a margin below its content. */
const margin = 24
const usual = { width: 1280, height: 800 }
/** So wide that a delivery opens beside the list. */
const wide = { width: 1440, height: 800 }
const middle = { width: 1280, height: 640 }
const low = { width: 1280, height: 480 }

/** The limit of a screenshot in bytes. */
const maxBytes = 200_000

interface Options {
  viewport?: typeof usual
  /** Changes the open screen before the picture is taken. */
  act?: () => Promise<unknown>
  /** The part of the page to show. Default: all that fits into the viewport. */
  part?: Locator
}

/** The name of the pictures of a screen, its address, and a part of its content. */
type Screen = readonly [name: string, address: string, content: Locator, options?: Options]

interface Servers {
  /** Has a history of deliveries. */
  served: Served
  /** Has recovered the deliveries of an outage, and nothing else. */
  outage: Served
  /** Has received nothing yet. */
  newServer: Served
  /** The secret of the servers. */
  secret: string
}

/** Takes the screenshots in light and dark, each when the page shows its content. */
export async function takePictures({ served, outage, newServer, secret }: Servers, folder: string): Promise<void> {
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
    await takeRecovery(await openPage(browser), outage, folder)
    await takeFirstSteps(await openPage(browser), newServer, secret, folder)
  } finally {
    await browser.close()
  }
}

async function takeRecovery(page: Page, outage: Served, folder: string): Promise<void> {
  await logIn(page, outage)
  await page.route('**/api/v1/recovery', showDaysOfGitHub)
  const part = page.getByRole('region', { name: 'Recovery of missed deliveries' })
  const received = part.getByRole('row').filter({ hasText: 'received' })
  await takeBoth(page, outage, folder, ['recovery', '/overview', received.nth(missedDeliveries - 1), { part }])
}

/**
 * The server takes the local GitHub for an Enterprise Server, which keeps deliveries for 7 days. github.com keeps them for
 * 3 days.
 */
async function showDaysOfGitHub(route: Route): Promise<void> {
  const response = await route.fetch()
  const recovery: Recovery = await response.json()
  const missedDeliveries = recovery.missedDeliveries.map((one) => ({ ...one, expiresAt: one.expiresAt - 4 * day }))
  await route.fulfill({ response, json: { ...recovery, missedDeliveries } })
}

/** The screens before and after the first delivery of a new server. */
async function takeFirstSteps(page: Page, newServer: Served, secret: string, folder: string): Promise<void> {
  await fetch(newServer.url, signedRequest('ping', { secret: 'another secret' }))
  await takeBoth(page, newServer, folder, ['login', '', page.getByLabel('Token'), { viewport: low }])
  await logIn(page, newServer)
  const rejection = page.getByRole('region', { name: 'The last rejected request' })
  await takeBoth(page, newServer, folder, ['first-delivery', '/deliveries', rejection])
  const about = { repository: 'acme/shop', sender: 'monalisa', number: 1, title: 'Prices are shown without VAT' }
  for (const [event, payload] of [
    ['ping', undefined],
    ['issues.opened', payloadOf('issues.opened', about)],
  ] as const) {
    await fetch(newServer.url, signedRequest(event, { secret, payload }))
  }
  const result = page.locator('details').getByText('#1 Prices are shown without VAT')
  const act = () => page.locator('summary').filter({ hasText: 'Attempt 1' }).click()
  await takeBoth(page, newServer, folder, ['first-issue', '/deliveries/2', result, { act, viewport: middle }])
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
  const [name, address, content, { viewport = usual, act, part } = {}] = screen
  await page.setViewportSize(viewport)
  await page.goto(`${served.adminUrl}/#${address}`)
  await page.reload() // the list starts at its top, and no dialog is open
  await act?.()
  await content.waitFor()
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await take(
      page,
      join(folder, `${name}-${colorScheme}.png`),
      part ? await boxOf(part) : await contentBox(page, viewport),
    )
  }
}

type Box = NonNullable<Awaited<ReturnType<Locator['boundingBox']>>>

/** The viewport, without the space below the content. */
async function contentBox(page: Page, { width, height }: typeof usual): Promise<Box> {
  const content = await page.locator('main').evaluate((main) => main.lastElementChild?.getBoundingClientRect().bottom)
  return { x: 0, y: 0, width, height: Math.min(height, Math.ceil(content ?? height) + margin) }
}

/** In CSS pixels, around a part of a page. Smaller than the space between two parts. */
const marginOfPart = 8

/** A part of the page, with a margin around it. */
async function boxOf(part: Locator): Promise<Box> {
  await part.scrollIntoViewIfNeeded()
  const { x, y, width, height } = (await part.boundingBox()) as Box
  return {
    x: x - marginOfPart,
    y: y - marginOfPart,
    width: width + 2 * marginOfPart,
    height: height + 2 * marginOfPart,
  }
}

async function take(page: Page, file: string, clip: Box): Promise<void> {
  const picture = reduceColors(await page.screenshot({ animations: 'disabled', caret: 'hide', clip }))
  if (picture.length > maxBytes) throw new Error(`${file} has ${picture.length} bytes; the limit is ${maxBytes}`)
  writeFileSync(file, picture)
  console.log(`${file}: ${Math.round(picture.length / 1000)} kB`)
}
