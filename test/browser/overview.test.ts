import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { Hooks, Retry } from '../../src/index.ts'
import type { Handler, Stats } from '../../src/server/api/schemas/responses.ts'
import { eventually } from '../inbox/stores.ts'
import { secrets } from '../server/watched.ts'
import { issue, pullRequest } from './payloads.ts'
import { intercept, openScene, readOnlyToken, type Scene } from './scene.ts'

/** The name of a handler. The page must read it neither as markup nor as a part of a search. */
const hostile = '<b>sync</b> all state:dead'
const image = '<img src=x onerror=alert(1)>'
let scene: Scene
let page: Page

beforeAll(async () => {
  const hooks = new Hooks({ secret: 'the server sets another secret', logger: false })
  hooks.on('issues', { name: hostile, attempts: 3, order: 'repository' }, () => 'filed')
  hooks.on(
    'pull_request.opened',
    {
      name: 'ci',
      attempts: 1,
    },
    () => Promise.reject(new Error(`${image}\u202E\nat length`)),
  )
  hooks.hook('ping', { timeout: 60_000 }, () => Promise.reject(new Retry({ after: 3_600_000 })))
  scene = await openScene(hooks, { readOnlyToken })
  for (const number of [1, 2, 3, 4, 5]) await scene.deliver('issues', issue(number))
  await scene.deliver('issues', issue(6), { secret: secrets[1] as string })
  await scene.deliver('pull_request', pullRequest(7))
  await scene.deliver('ping', { zen: 'Later' })
  await scene.watched.deliver('push', { secret: 'a wrong one', headers: { 'user-agent': image } })
  await scene.watched.deliver('push', { secret: 'a wrong one' })
  await scene.settled()
  await eventually(async () => {
    const { received, attempts } = (await scene.ask('stats')).series
    const sum = (lists: { counts: number[] }[]) => lists.flatMap(({ counts }) => counts).reduce((a, b) => a + b, 0)
    expect([sum(received), sum(attempts)]).toEqual([8, 8])
  })
  page = await scene.open('#/overview')
})

const goTo = (place: string) => page.goto(`${scene.url}/${place}`)
const region = (name: string | RegExp) => page.getByRole('region', { name, exact: true })
const button = (name: string | RegExp) => page.getByRole('button', { name })
const heading = (name: string | RegExp) => page.getByRole('heading', { name })
const said = (text: string | RegExp) => page.getByRole('status').getByText(text).last()

/** Changes the statistics that the page gets, until the test calls `page.unrouteAll`. */
const changeStats = (change: (stats: Stats) => object) =>
  page.route('**/api/v1/stats?*', async (route) => {
    const response = await route.fetch()
    const stats: Stats = await response.json()
    await route.fulfill({ response, json: { ...stats, ...change(stats) } })
  })

describe('the overview', () => {
  test('lists the warnings first, each with its fix', async () => {
    const warnings = region('Warnings')
    const dead = warnings.locator('.note', { hasText: '1 delivery was not handled' })
    await dead.getByText('What to do: Open the dead deliveries').waitFor()
    await warnings.getByText('1 delivery was signed with an old secret').waitFor()
    await dead.getByRole('link', { name: 'Show dead deliveries' }).click()
    await page.getByRole('table', { name: 'Deliveries' }).getByText('Change 7').waitFor()
    expect(page.url()).toContain('#/deliveries?q=state%3Adead')
  })

  test('marks a process that sends no heartbeats', async () => {
    await changeStats(({ processes }) => ({
      processes: processes.flatMap((one) => [one, { ...one, id: 'killed', host: 'killed', silent: true }]),
    }))
    await goTo('#/overview')
    await page.reload()
    const listed = page.getByRole('region', { name: 'Processes' })
    await listed.getByRole('row', { name: 'killed' }).getByText('no heartbeat').waitFor()
    expect(await listed.getByText('no heartbeat').count()).toBe(1)
    await page.unrouteAll()
    await page.reload()
  })

  test('names its own links and buttons in the warnings, and no request or command', async () => {
    const codes = ['wrong_signatures', 'dead', 'paused', 'missed', 'recovery_failing']
    const warnings = codes.map((code) => ({ code, message: `About ${code}`, cure: 'GET /api/v1/x; hookserver x' }))
    await changeStats(() => ({ warnings }))
    await goTo('#/overview')
    await page.reload()
    const shown = region('Warnings')
    await shown.getByText('About recovery_failing').waitFor()
    expect(await shown.textContent()).not.toMatch(/GET |hookserver /)
    expect(await shown.getByRole('link').or(shown.getByRole('button')).allTextContents()).toEqual([
      ...['Show rejected requests', 'Show dead deliveries', 'Show handlers', 'Show missed deliveries', 'Show recovery'],
    ])
    await shown.getByRole('button', { name: 'Show missed deliveries' }).click()
    await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('recovery')
    await page.unrouteAll({ behavior: 'wait' })
    await page.reload()
  })

  test('links a warning that counts several codes to all rejected requests', async () => {
    const codes = ['wrong_signatures', 'not_stored']
    const warnings = codes.map((code) => ({ code, message: `About ${code}`, cure: 'Do something' }))
    await changeStats(() => ({ warnings }))
    await page.reload()
    const link = (code: string) =>
      region('Warnings')
        .locator('.note', { hasText: `About ${code}` })
        .getByRole('link')
        .getAttribute('href')
    expect(await Promise.all(codes.map(link))).toEqual(['#/rejections', '#/rejections'])
    await page.unrouteAll({ behavior: 'wait' })
    await page.reload()
  })

  test('shows the totals', async () => {
    await goTo('#/overview')
    const tile = (name: string) => page.locator('.tile', { hasText: name }).locator('dd').first()
    await expect.poll(() => tile('Received').textContent()).toBe('8')
    expect(await tile('Dead deliveries').textContent()).toBe('1')
    expect(await tile('Failed attempts').textContent()).toBe('2')
    expect(await tile('Unfinished deliveries').locator('.three > *').allTextContents()).toEqual([
      '0 running',
      '0 pending',
      '1 retrying',
    ])
    expect(await tile('Unfinished deliveries').getByRole('link').allTextContents()).toEqual(['1 retrying'])
    expect(await tile('Dead deliveries').getByRole('link').count()).toBe(1)
    expect(await region('Received by event').locator('tbody tr').first().textContent()).toBe('issues60')
    expect(await region('Attempts by handler').locator('tbody tr').first().textContent()).toBe(
      ...[`${hostile}100 %6600`],
    )
    await page.getByText('2nd secret: 1 delivery, still signed with an old secret').waitFor()
    await page.getByText('hookserver serve --recover').waitFor()
    expect(await button('Check GitHub now').count()).toBe(0)
  })

  test('offers a recovery sweep if this process can run one', async () => {
    await page.route('**/api/v1/recovery', async (route) => {
      const response = await route.fetch()
      await route.fulfill({ response, json: { ...(await response.json()), canSweep: true } })
    })
    await page.reload()
    await button('Check GitHub now').click()
    await said(/This process does not recover missed deliveries/).waitFor()
    await page.unrouteAll({ behavior: 'wait' })
    await page.reload()
  })

  test('names --ranges if it lists the addresses', async () => {
    await changeStats(({ receiver }) => ({ receiver: { ...receiver, origin: true, ranges: undefined } }))
    await page.reload()
    await page.getByText('on, accepts only the addresses of --ranges').waitFor()
    await page.getByText('not fetched, because --ranges lists the addresses').waitFor()
    await page.unrouteAll({ behavior: 'wait' })
    await page.reload()
  })

  test('marks the edge of a table that continues', async () => {
    const phone = await scene.open('#/overview', { viewport: { width: 390, height: 800 } })
    const table = phone.getByRole('region', { name: 'Attempts by handler' }).last()
    await table.waitFor()
    const styles = "getComputedStyle(document.querySelector('.scrolls')).backgroundAttachment"
    expect(await phone.evaluate(styles)).toContain('local')
    const hidden = await table.evaluate((element) => element.scrollWidth - element.clientWidth)
    expect(hidden).toBeGreaterThan(20)
    await phone.context().close()
  })

  test('links no total that is 0', async () => {
    await changeStats(({ states }) => ({ states: { ...states, dead: 0, retrying: 0 } }))
    await page.reload()
    const tiles = page.locator('.tiles')
    await tiles.getByText('0 retrying').waitFor()
    expect(await tiles.getByRole('link').count()).toBe(0)
    await page.unrouteAll({ behavior: 'wait' })
    await page.reload()
  })

  test('draws the charts, describes them, and offers them as tables', async () => {
    const chart = region('Deliveries per minute')
    await chart.getByRole('img', { name: /stored: peak of \d at .*rejected: peak of [123] at/ }).waitFor()
    await chart.locator('canvas').waitFor()
    const { height } = (await chart.boundingBox()) ?? {}
    await button('Show as a table').first().click()
    const table = page.getByRole('region', { name: 'Deliveries per minute, as a table' })
    expect(await table.locator('tbody tr').count()).toBe(60)
    const stored = await table.locator('tbody tr td:nth-child(2)').allTextContents()
    expect(stored.reduce((sum, text) => sum + Number(text), 0)).toBe(8)
    expect((await chart.boundingBox())?.height).toBe(height)
  })

  test('marks the same moment in all charts', async () => {
    const over = region('Attempts per minute').locator('.u-over')
    const { x, y, width, height } = (await over.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
    await page.mouse.move(x + width / 2, y + height / 2)
    await expect
      .poll(() => page.locator('.chart .when').allTextContents())
      .toEqual(Array(3).fill(expect.stringMatching(/^\d\d:\d\d$/)))
    expect(new Set(await page.locator('.chart .when').allTextContents()).size).toBe(1)
  })

  test('shows the chosen period, in the colors of the theme', async () => {
    await page.getByRole('link', { name: '7 days' }).click()
    await heading('Deliveries per hour').waitFor()
    expect(page.url()).toMatch(/#\/overview\?window=7d$/)
    await region('Attempts per hour').locator('canvas').waitFor()
    const ink = () =>
      region('Attempts per hour')
        .locator('canvas')
        .evaluate((canvas) => (canvas as unknown as { toDataURL: () => string }).toDataURL())
    const light = await ink()
    await page.emulateMedia({ colorScheme: 'dark' })
    await expect.poll(ink).not.toBe(light)
    await page.emulateMedia({ colorScheme: 'light' })
    await page.reload()
    await heading('Deliveries per hour').waitFor()
  })
})

test('charts follow the time zone that the operator chose', async () => {
  const other = await scene.open('#/deliveries', { timezoneId: 'Asia/Tokyo', locale: 'en-US' })
  const stats: Stats = await scene.ask('stats?window=7d')
  const handler: Handler = await scene.ask('handlers/ci?window=7d')
  await other.route('**/api/v1/stats?*', (route) => route.fulfill({ json: stats }))
  await other.route('**/api/v1/handlers/ci?*', (route) => route.fulfill({ json: handler }))
  await other.goto(`${scene.url}/#/overview?window=7d`)
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat('en-US', options).format(stats.series.since)
  const firstStep = (timeZone: string) => {
    const clock = format({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone })
    return `${format({ month: 'short', day: 'numeric', timeZone })}, ${clock}`
  }
  const chart = other.getByRole('region', { name: 'Attempts per hour', exact: true })
  const ink = () =>
    chart.locator('canvas').evaluate((canvas) => (canvas as unknown as { toDataURL: () => string }).toDataURL())
  const local = await ink()
  await other.getByRole('button', { name: 'Show as a table' }).first().click()
  const first = other.getByRole('region', { name: 'Deliveries per hour, as a table' }).getByRole('rowheader').last()
  expect(await first.textContent()).toBe(firstStep('Asia/Tokyo'))
  await other.keyboard.press('Control+k')
  await other.getByRole('combobox', { name: 'Command' }).fill('utc')
  await other.keyboard.press('Enter')
  await expect.poll(() => first.textContent()).toBe(firstStep('UTC'))
  await expect.poll(ink).not.toBe(local)
  await other.goto(`${scene.url}/#/handlers/ci?window=7d`)
  await other.locator('.small-chart .times').first().getByText(firstStep('UTC')).waitFor()
  await other.context().close()
})

describe('handlers', () => {
  const table = () => page.getByRole('table', { name: /^Handlers/ })
  const row = (name: string) => table().getByRole('row').filter({ hasText: name })
  const names = () => table().getByRole('rowheader').getByRole('link').allTextContents()

  test('are shown with their attempts and latencies', async () => {
    await goTo('#/handlers')
    await row('ci').waitFor()
    const cells = await row(hostile).getByRole('cell').allTextContents()
    expect(cells).toEqual([
      ...['100 %', '60.1/min', expect.stringMatching(/ms$/), expect.stringMatching(/ms$/)],
      ...[expect.stringMatching(/ms$/), '0', '0', '0', expect.stringContaining('Pause')],
    ])
    expect((await row('ci').getByRole('cell').allTextContents()).slice(0, 2)).toEqual(['0 %', '1<0.1/min'])
  })

  test('are sorted by a column with the keyboard', async () => {
    await goTo('#/handlers')
    const title = (name: string) => table().getByRole('columnheader', { name })
    await row('ci').waitFor()
    expect(await names()).toEqual([hostile, 'ci', 'hook:ping'])
    await title('Attempts').getByRole('link').focus()
    await page.keyboard.press('Enter')
    await expect.poll(() => title('Attempts').getAttribute('aria-sort')).toBe('descending')
    expect((await names())[0]).toBe(hostile)
    await page.keyboard.press('Enter')
    await expect.poll(() => title('Attempts').getAttribute('aria-sort')).toBe('ascending')
    expect((await names()).at(-1)).toBe(hostile)
    expect(page.url()).toContain('sort=attempts')
  })

  test('link to their failures, by error', async () => {
    await goTo('#/handlers')
    await row('ci').getByRole('cell').getByRole('link', { name: '1', exact: true }).click()
    await page.getByRole('table', { name: 'Failure groups' }).getByText('onerror=alert').first().waitFor()
    expect(page.url()).toContain('#/failures?handler=ci')
  })

  test('have a page each, with figures, charts and options', async () => {
    await goTo('#/handlers')
    await row(hostile).getByRole('rowheader').getByRole('link').click()
    await heading(hostile).waitFor()
    await page.getByText('one at a time for each repository').waitFor()
    expect(await page.locator('.events .tag').allTextContents()).toEqual(['issues'])
    expect(await page.locator('.figures').textContent()).toContain('6 attempts, 0 retried, 0 dead')
    const chart = page.getByRole('img', { name: /^Duration of attempts\. p50: .*; p95: .*; p99: / })
    await chart.waitFor()
    await region('Duration of attempts').getByRole('button', { name: 'Show as a table' }).click()
    await region('Duration of attempts').getByRole('row').nth(12).waitFor()
    await page.getByRole('link', { name: '7 days' }).click()
    await expect.poll(() => page.getByRole('link', { name: '7 days' }).getAttribute('aria-current')).toBe('true')
    await page.getByRole('link', { name: 'Deliveries of this handler' }).click()
    await page.getByRole('table', { name: 'Deliveries' }).getByText('Bug 3').waitFor()
    await page.goBack()
    await heading(hostile).waitFor()
    await page.keyboard.press('Escape')
    await row('ci').waitFor()
  })

  test('show how many attempts run and wait on their page', async () => {
    await intercept(page, '**/api/v1/handlers/ci?*', async (route) => {
      const response = await route.fetch()
      const handler: Handler = await response.json()
      const statistics = { ...handler.statistics, running: 3, waiting: 1200, waitingSince: Date.now() - 125_000 }
      await route.fulfill({ response, json: { ...handler, statistics } })
    })
    await goTo('#/handlers/ci')
    const figures = page.locator('.figures')
    await figures.getByText('at most 25 in each process').waitFor()
    await expect.poll(() => figures.textContent()).toMatch(/Waiting now1,200the first for 2 min/)
    await page.unrouteAll({ behavior: 'wait' })
  })

  test('cannot be changed with the read-only token', async () => {
    const other = await scene.open('#/handlers', { token: readOnlyToken })
    await other.getByRole('link', { name: 'ci', exact: true }).click()
    await other.getByRole('heading', { name: 'ci' }).waitFor()
    expect(await other.getByRole('button', { name: /Pause|Resume/ }).count()).toBe(0)
    await other.goto(`${scene.url}/#/overview`)
    await other.getByRole('heading', { name: 'Recovery of missed deliveries' }).waitFor()
    expect(await other.getByRole('button', { name: 'Check GitHub now' }).count()).toBe(0)
    await other.context().close()
  })

  test('show their latest failure as text', async () => {
    await goTo('#/handlers/ci')
    const failure = page.locator('.failure')
    expect(await failure.locator('.foreign').textContent()).toBe(`Error: ${image}⟨U+202E⟩`)
    await failure.getByRole('link', { name: /Last failure/ }).click()
    await page.getByRole('heading', { name: 'pull_request' }).first().waitFor()
    expect(page.url()).toMatch(/#\/deliveries\/7$/)
  })

  test('of other processes are shown', async () => {
    await intercept(page, '**/api/v1/handlers?*', async (route) => {
      const response = await route.fetch()
      const { handlers } = (await response.json()) as { handlers: Handler[] }
      const elsewhere = handlers.map(({ name, paused, statistics }) => ({ name, paused, statistics, elsewhere: true }))
      await route.fulfill({ response, json: { handlers: elsewhere } })
    })
    await goTo('#/handlers')
    await row('ci').getByText('in another process').waitFor()
    await page.unroute('**/api/v1/handlers?*')
  })

  test('are paused and resumed, one by one and all together', async () => {
    await goTo('#/handlers')
    const paused = async () => (await scene.ask('stats')).paused
    await button(`Pause ${hostile}`).click()
    await page.getByRole('dialog').getByText('Deliveries are not lost').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    expect(await paused()).toEqual([])
    await button(`Pause ${hostile}`).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click()
    await said(/^Paused .*\. Deliveries are stored and wait/).waitFor()
    expect(await paused()).toEqual([hostile])
    await row(hostile).locator('.tag.paused').waitFor()
    await button('Pause all').click()
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click()
    await page.getByText('All handlers are paused').waitFor()
    await button('Resume all').click()
    await said(/Resumed all handlers\. Still paused/).waitFor()
    await button(`Resume ${hostile}`).click()
    await button(`Pause ${hostile}`).waitFor()
    expect(await paused()).toEqual([])
  })
})
