import type { Page } from 'playwright-core'
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { Hooks, Retry } from '../../src/index.ts'
import { inboxFile } from '../inbox/stores.ts'
import { adminToken, watch } from '../server/watched.ts'
import { issue } from './payloads.ts'
import { intercept, openScene, rows, type Scene } from './scene.ts'

let scene: Scene
/** Lets the handler of pushes return. */
let finish: () => void = () => undefined

beforeAll(async () => {
  const hooks = new Hooks({ secret: 'the server sets another secret', logger: false })
  hooks.on('push', { name: 'deploy' }, () => new Promise<void>((resolve) => (finish = resolve)))
  hooks.on('issues', { name: 'tracker', attempts: 1 }, () => Promise.reject(new Error('No tracker')))
  hooks.on('star', { name: 'stars' }, () => Promise.reject(new Retry({ after: 3_600_000 })))
  hooks.on('*', { name: 'audit' }, () => undefined)
  scene = await openScene(hooks)
})

const search = (page: Page) => page.getByRole('combobox', { name: 'Search deliveries' })
const suggestions = (page: Page) => page.getByRole('listbox', { name: 'Suggestions' })
const filter = (page: Page, label: string) => page.getByRole('group', { name: 'Filters' }).getByLabel(label)
/** The search in the address, after `q=`. */
const asked = (page: Page) => new URLSearchParams(page.url().split('?')[1]).get('q')

describe('without deliveries', () => {
  test('the page shows what is ready, how to try it, and why a request was rejected', async () => {
    const page = await scene.open()
    await page.getByRole('heading', { name: 'No deliveries yet' }).waitFor()
    await page.getByText('A secret is set').waitFor()
    await page.getByText('Waiting for the first delivery').waitFor()
    const url = scene.watched.service.publicUrl
    const copied = async (name: string) => {
      await page.getByRole('button', { name, exact: true }).click()
      await page.getByText(`Copied ${name.slice(5)}`, { exact: true }).waitFor()
      return page.evaluate('navigator.clipboard.readText()')
    }
    expect(await copied('Copy the address')).toBe(url)
    expect(await copied('Copy the command')).toBe(`npx hookserver send issues.opened --to ${url}`)
    const ways = page.getByRole('region', { name: 'Without a public address' }).getByRole('listitem')
    expect(await ways.allTextContents()).toEqual([
      ...[expect.stringContaining('--pull'), expect.stringContaining('app create'), expect.stringContaining('tunnel')],
    ])
    await scene.watched.deliver('ping', { secret: 'a wrong one' })
    await fetch(new URL('/favicon.ico', url), { method: 'POST' })
    const rejection = page.getByRole('region', { name: 'The last rejected request' })
    await rejection.getByText('wrong_signature').waitFor()
    await rejection.getByText('What to do: Compare the two secrets').waitFor()
    await scene.deliver('ping', { zen: 'Keep it simple' })
    await rows(page).filter({ hasText: 'ping' }).waitFor()
    await page.context().close()
  })
})

describe('the list', () => {
  let page: Page
  beforeAll(async () => {
    for (const number of [11, 12, 13]) await scene.deliver('issues', issue(number))
    await scene.deliver('star', { action: 'created', sender: { login: 'hubot' } })
    const run = { name: 'CI', conclusion: 'failure', head_branch: 'main' }
    await scene.deliver('workflow_run', { workflow_run: run })
    await scene.settled()
    page = await scene.open()
    return () => page.context().close()
  })
  beforeEach(() => page.goto(`${scene.url}/#/deliveries`))

  test('shows each delivery with its subject and its state', async () => {
    const row = rows(page).filter({ hasText: '#12 Bug 12' })
    await row.waitFor()
    expect(await row.locator('td').allInnerTexts()).toEqual([
      ...['', 'dead', 'issues.opened', '#12 Bug 12\ntracker: No tracker', 'acme/shop', 'octocat'],
      ...[expect.stringMatching(/now|ago/), expect.stringMatching(/ms$/), '1'],
    ])
    const attempts = page.getByRole('columnheader', { name: 'Attempts', exact: true })
    expect(await attempts.getAttribute('title')).toBe('Attempts of the handler with the most attempts')
    expect(await row.locator('time').getAttribute('title')).toMatch(/\d{4}.*\d\d:\d\d:\d\d\.\d{3}/)
    expect(await rows(page).filter({ hasText: 'workflow_run' }).textContent()).toContain('CI: failure')
    expect(await rows(page).filter({ hasText: 'star.created' }).textContent()).toContain('retrying')
  })

  test('updates rows in place, and adds new ones at the top', async () => {
    await rows(page).first().waitFor()
    const payload = { ref: 'refs/heads/main', head_commit: { message: 'Fix the door\n\nIt jammed' } }
    await scene.deliver('push', payload)
    const row = rows(page).first()
    await row.filter({ hasText: 'running' }).waitFor()
    expect(await row.textContent()).toContain('main · Fix the door')
    finish()
    await row.filter({ hasText: 'done' }).waitFor()
  })

  test('keeps its rows while updates are paused: a banner offers new deliveries', async () => {
    await rows(page).first().waitFor()
    await page.getByRole('button', { name: 'Pause updates' }).click()
    const firstRow = async () => (await rows(page).first().textContent())?.replace(/now|\d+ s ago/, '')
    const before = await firstRow()
    for (const zen of ['a', 'b']) await scene.deliver('ping', { zen })
    const banner = page.getByRole('button', { name: '2 new deliveries' })
    await banner.waitFor()
    expect(await firstRow()).toBe(before)
    await banner.click()
    await rows(page).first().filter({ hasText: 'ping' }).waitFor()
    await page.getByRole('button', { name: 'Resume updates' }).click()
  })

  test.each([
    ['State', 'dead', 'state:dead', 3],
    ['Event', 'issues.opened', 'event:issues.opened', 3],
    ['Repository', 'acme/shop', 'repo:acme/shop', 3],
    ['Sender', 'hubot', 'sender:hubot', 1],
    ['Source', '/elsewhere', 'source:/elsewhere', 0],
    ['Time', 'yesterday', 'since:yesterday until:today', 0],
  ])('is filtered by %s, and the address contains the filter', async (label, value, text, count) => {
    const field = filter(page, label)
    if (label === 'State') await field.selectOption(value)
    else if (label === 'Time') await field.selectOption({ label: value })
    else await field.fill(value).then(() => field.press('Tab'))
    await expect.poll(() => asked(page)).toBe(text)
    await expect.poll(() => search(page).inputValue()).toBe(text)
    if (count === 0) await page.getByRole('heading', { name: 'No delivery matches' }).waitFor()
    await expect.poll(() => rows(page).count()).toBe(count)
    await page.reload()
    await expect.poll(() => rows(page).count()).toBe(count)
  })

  test('has a search field that completes names and values', async () => {
    await search(page).fill('sta')
    await suggestions(page).getByRole('option', { name: 'state:' }).waitFor()
    await search(page).press('ArrowDown')
    await search(page).press('Enter')
    await suggestions(page).getByRole('option', { name: /^dead/ }).click()
    await expect.poll(() => asked(page)).toBe('state:dead')
    await search(page).pressSequentially(' repo:sh')
    await suggestions(page).getByRole('option', { name: 'acme/shop' }).click()
    await search(page).pressSequentially('issue.number:12 bug')
    await search(page).press('Enter')
    await expect.poll(() => asked(page)).toBe('state:dead repo:acme/shop issue.number:12 bug')
    await expect.poll(() => rows(page).count()).toBe(1)
    expect(await filter(page, 'Repository').inputValue()).toBe('acme/shop')
  })

  test('explains an invalid search, and lets the user correct it', async () => {
    await search(page).fill('since:teatime')
    await search(page).press('Enter')
    await page.getByRole('alert').filter({ hasText: 'The search is not valid. since: expected' }).waitFor()
    await page.getByRole('button', { name: 'Clear', exact: true }).click()
    await rows(page).first().waitFor()
    await page.goto(`${scene.url}/#/deliveries?q=state:ded`)
    await page.getByRole('alert').filter({ hasText: 'Unknown state “ded”. Did you mean "dead"?' }).waitFor()
  })

  test('completes a negated name, and the last of several values', async () => {
    await search(page).fill('-sta')
    await suggestions(page).getByRole('option', { name: '-state:' }).click()
    await search(page).pressSequentially('done,ig')
    await suggestions(page)
      .getByRole('option', { name: /^done,ignored/ })
      .click()
    await expect.poll(() => search(page).inputValue()).toBe('-state:done,ignored ')
    await page.getByRole('button', { name: 'Clear', exact: true }).click()
    await rows(page).first().waitFor()
  })

  test('corrects an unknown filter, and shows which condition it looked for in payloads', async () => {
    await page.goto(`${scene.url}/#/deliveries?q=sate:dead sender:unknown`)
    await page.getByRole('alert').filter({ hasText: 'Unknown key "sate". Did you mean "state"?' }).waitFor()
    await page.goto(`${scene.url}/#/deliveries?q=issues.number:1 sender:unknown`)
    await page.getByRole('heading', { name: 'No delivery matches' }).waitFor()
    expect(await page.getByText('looked for it').allInnerTexts()).toEqual([
      'issues.number is a path, so the search looked for it in payloads.',
    ])
  })

  test('adds a delivery that begins to match', async () => {
    await page.goto(`${scene.url}/#/deliveries?q=sender:late`)
    await page.getByRole('heading', { name: 'No delivery matches' }).waitFor()
    await scene.deliver('ping', { zen: 'Now', sender: { login: 'late' } })
    await rows(page).filter({ hasText: 'late' }).waitFor()
  })

  test('puts a delivery that begins to match below the newer ones', async () => {
    await page.goto(`${scene.url}/#/deliveries?q=state:discarded`)
    await page.getByRole('heading', { name: 'No delivery matches' }).waitFor()
    const { deliveries } = await scene.ask('deliveries?event=issues')
    const [newest, middle, oldest] = deliveries.map(({ id }: { id: number }) => id)
    await scene.ask('deliveries/discard', { ids: [newest, oldest] })
    await expect.poll(() => rows(page).count()).toBe(2)
    await scene.ask('deliveries/discard', { ids: [middle] })
    await expect.poll(() => rows(page).count()).toBe(3)
    const links = await rows(page).locator('a.open').all()
    const shown = await Promise.all(links.map((link) => link.getAttribute('href')))
    expect(shown).toEqual([newest, middle, oldest].map((id) => `#/deliveries/${id}`))
  })

  test('loses no delivery that arrives during a request', async () => {
    await rows(page).filter({ hasText: 'star.created' }).waitFor()
    const asked = Promise.withResolvers<void>()
    const isEnough = Promise.withResolvers<void>()
    await intercept(page, '**/api/v1/deliveries?*', async (route) => {
      const response = await route.fetch()
      asked.resolve()
      await isEnough.promise
      await route.fulfill({ response })
    })
    await scene.deliver('ping', { zen: 'First' })
    await asked.promise
    await scene.deliver('ping', { zen: 'Second', sender: { login: 'second' } })
    const { deliveries } = await scene.ask('deliveries?event=star')
    await scene.ask(`deliveries/${deliveries[0].id}/discard`, {})
    // Events arrive in the order in which the server sends them. The server sends the event of the second ping before
    // the event of the discarded star. So once the page shows `discarded`, both events have arrived.
    await rows(page).filter({ hasText: 'star.created' }).filter({ hasText: 'discarded' }).waitFor()
    isEnough.resolve()
    await rows(page).filter({ hasText: 'second' }).waitFor()
    await page.unrouteAll({ behavior: 'wait' })
    expect(await rows(page).filter({ hasText: 'star.created' }).textContent()).toContain('discarded')
  })

  test('adds a delivery that becomes visible after newer ones', async () => {
    const { deliveries } = await scene.ask('deliveries?event=star')
    const late = deliveries[0].id
    // The answers lack the delivery until `isVisible`, as if its transaction had not been committed.
    let isVisible = false
    await page.route('**/api/v1/deliveries?*', async (route) => {
      const response = await route.fetch()
      const json = await response.json()
      if (!isVisible) json.deliveries = json.deliveries.filter(({ id }: { id: number }) => id !== late)
      await route.fulfill({ response, json })
    })
    onTestFinished(() => page.unrouteAll({ behavior: 'wait' }))
    await page.reload()
    await rows(page).first().waitFor()
    await scene.deliver('ping', { zen: 'Newer', sender: { login: 'newer' } })
    await rows(page).filter({ hasText: 'newer' }).waitFor()
    expect(await rows(page).filter({ hasText: 'star.created' }).count()).toBe(0)
    isVisible = true
    await scene.ask(`deliveries/${late}/retry`, {})
    await rows(page).filter({ hasText: 'star.created' }).waitFor()
  })

  test('has pages, each with an address', async () => {
    await scene.deliverMany(55, 'ping', (index) => ({ zen: `Number ${index}` }))
    await page.reload()
    await expect.poll(() => rows(page).count()).toBe(50)
    const last = await rows(page).last().locator('a.open').getAttribute('href')
    await page.getByRole('link', { name: 'Older' }).click()
    await expect.poll(() => rows(page).first().locator('a.open').getAttribute('href')).not.toBe(last)
    expect(page.url()).toContain('before=')
    await page.goBack()
    await expect.poll(() => rows(page).last().locator('a.open').getAttribute('href')).toBe(last)
  })

  test('selects a range of rows with Shift, and links to the newest page from the top', async () => {
    const boxes = rows(page).getByRole('checkbox')
    await boxes.nth(1).click()
    await boxes.nth(4).click({ modifiers: ['Shift'] })
    await page.getByText('Retry 4 selected…').waitFor()
    await boxes.nth(3).click({ modifiers: ['Shift'] })
    await page.getByText('Retry 2 selected…').waitFor()
    await page.getByRole('button', { name: 'Clear selection' }).click()
    await page.getByRole('link', { name: 'Older' }).click()
    await page.locator('.toolbar').getByRole('link', { name: 'Newest' }).click()
    await expect.poll(() => page.url()).not.toContain('before=')
  })

  test('forgets the selection of rows that leave the page, so that new rows do not wait for it', async () => {
    await page.reload()
    await rows(page).last().getByRole('checkbox').check()
    await rows(page).first().getByRole('checkbox').check()
    await page.getByText('Retry 2 selected…').waitFor()
    await scene.deliver('ping', { zen: 'One more' })
    await page.getByRole('button', { name: '1 new delivery' }).click()
    await page.getByText('Retry 1 selected…').waitFor()
    await rows(page).nth(1).getByRole('checkbox').uncheck()
    await page.evaluate('document.activeElement.blur(); scrollTo(0, 0)')
    await scene.deliver('ping', { zen: 'And another', sender: { login: 'another' } })
    await rows(page).first().filter({ hasText: 'another' }).waitFor()
  })

  test('keeps its column headers in view', async () => {
    await rows(page).last().locator('a.open').focus()
    await rows(page).last().scrollIntoViewIfNeeded()
    const box = await page.getByRole('columnheader', { name: 'Event' }).boundingBox()
    expect(box?.y).toBeGreaterThan(0)
    expect(box?.y).toBeLessThan(60)
  })

  test('names events and repositories in full, at every width', async () => {
    const repository = 'a-long-organization/a-rather-long-repository-name'
    const payload = { action: 'created', sender: { login: 'octocat' }, repository: { full_name: repository } }
    await page.reload() // the focus of the previous test is in the list, so new rows would wait
    await rows(page).first().waitFor()
    await scene.deliver('pull_request_review_comment', payload)
    await scene.deliver('pull_request_review_comment', payload)
    await rows(page).first().getByText('same body').waitFor()
    for (const width of [390, 1024, 1440, 2560]) {
      await page.setViewportSize({ width, height: 800 })
      const cut = await page.evaluate(
        `[...document.querySelectorAll('.rows tbody tr:has(a) :is(.select, .state, .event, .repository)')].filter((cell) => cell.scrollWidth > cell.clientWidth).length`,
      )
      expect([width, cut]).toEqual([width, 0])
      expect((await rows(page).first().boundingBox())?.height).toBeLessThan(140)
    }
    expect(await page.locator('main').evaluate((main) => main.clientWidth)).toBeGreaterThan(2000)
    await page.setViewportSize({ width: 1280, height: 800 })
  })

  test('is navigated by keys', async () => {
    await rows(page).first().waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    const second = await rows(page).nth(1).locator('a.open').getAttribute('href')
    expect(await page.evaluate("document.activeElement.getAttribute('href')")).toBe(second)
    const outline =
      "(({ outlineStyle, outlineWidth }) => [outlineStyle, outlineWidth])(getComputedStyle(document.activeElement, '::after'))"
    expect(await page.evaluate(outline)).toEqual(['solid', '2px']) // around the row
    await page.keyboard.press('k')
    await page.keyboard.press('x')
    await page.getByText('Retry 1 selected…').waitFor()
    await page.keyboard.press('x')
    await page.keyboard.press('/')
    await page.keyboard.type('jk')
    expect(await search(page).inputValue()).toBe('jk')
    await page.keyboard.press('Escape')
    await page.keyboard.press('Escape')
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard' }).getByText('Next delivery').waitFor()
    await page.keyboard.press('Escape')
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.waitForURL(/#\/deliveries\/\d+$/)
  })
})

test('a search over several requests shows new deliveries, even after many other deliveries', async () => {
  const page = await scene.open('#/deliveries?q=.mark:here')
  onTestFinished(() => page.context().close())
  await page.getByRole('heading', { name: 'No delivery matches' }).waitFor()
  // Answers as if the server had searched for a while and found nothing. The next request finds the delivery.
  const nothing = { deliveries: [], next: 'a cursor', reached: Number.MAX_SAFE_INTEGER, scanned: 2000, left: 1 }
  await intercept(
    page,
    (url) => url.pathname === '/api/v1/deliveries' && !url.searchParams.has('before'),
    (route) => route.fulfill({ json: nothing }),
  )
  await scene.deliver('ping', { mark: 'here' })
  await rows(page).filter({ hasText: 'ping' }).waitFor()
})

test('a long search shows its progress, and continues where the operator stopped it', async () => {
  await scene.deliver('ping', { zen: 'Slowly' })
  const page = await scene.open()
  onTestFinished(() => page.context().close())
  const [found] = (await scene.ask('deliveries?event=ping&limit=1')).deliveries
  // The second answer is held until the operator has stopped the search.
  let release: () => void = () => undefined
  const stopped = new Promise<void>((resolve) => (release = resolve))
  const asked: (string | null)[] = []
  const isPage = (url: URL) => url.pathname === '/api/v1/deliveries' && url.searchParams.get('q') === '.slow:yes'
  await page.route(isPage, async (route) => {
    asked.push(new URL(route.request().url()).searchParams.get('before'))
    if (asked.length === 2) await stopped
    const reached = 226_000 - 20_000 * asked.length
    const deliveries = asked.length === 2 ? [found] : []
    await route.fulfill({ json: { deliveries, next: 'a cursor', reached, scanned: 20_000, left: reached } })
  })
  await page.goto(`${scene.url}/#/deliveries?q=.slow:yes`)
  await page.getByText('Searched 20,000 of 226,000 deliveries').waitFor()
  await page.getByRole('button', { name: 'Stop' }).click()
  release()
  await page.getByText('Stopped: searched 40,000 of 226,000 deliveries').waitFor()
  await rows(page).filter({ hasText: 'ping' }).waitFor()
  expect(asked.slice(0, 2)).toEqual([null, '206000'])
  await page.unroute(isPage)
  await page.getByRole('link', { name: 'Continue' }).click()
  await page.getByRole('heading', { name: 'No delivery matches' }).waitFor()
  expect(page.url()).toMatch(/before=186000$/)
})

test('a response that is not JSON is reported', async () => {
  const page = await scene.open()
  onTestFinished(() => page.context().close())
  await page.route('**/api/v1/deliveries?*', (route) =>
    route.fulfill({ contentType: 'text/html', body: '<h1>Hello</h1>' }),
  )
  await page.reload()
  await page
    .getByRole('alert')
    .filter({ hasText: 'It may come from a proxy between this page and the server' })
    .waitFor()
})

test('a wrong clock of the browser is corrected', async () => {
  const page = await scene.stranger()
  onTestFinished(() => page.context().close())
  await page.clock.install({ time: Date.now() + 2 * 86_400_000 })
  await page.goto(`${scene.url}/#token=${adminToken}`)
  await scene.deliver('ping', { zen: 'What time is it?' })
  await rows(page)
    .first()
    .filter({ hasText: /now|[^h] ago/ })
    .waitFor()
  await page.goto(`${scene.url}/#/deliveries?q=since:1h`)
  await rows(page).first().waitFor()
})

test('a lost connection is shown, and the list catches up afterwards', async () => {
  const ends: (() => Promise<void>)[] = []
  const database = inboxFile()
  const first = await watch(undefined, { database }, (end) => ends.push(end))
  const { adminUrl } = first.service
  const page = await scene.stranger()
  onTestFinished(() => page.context().close())
  await page.goto(`${adminUrl}/#token=${adminToken}`)
  await page.getByRole('heading', { name: 'No deliveries yet' }).waitFor()
  const stop = async () => {
    for (const end of ends.splice(0)) await end()
  }
  await stop()
  await page.getByText('Connection lost').waitFor()

  const again = { database, adminPort: new URL(adminUrl).port, validateIp: 'false' }
  const second = await watch(undefined, again, (end) => ends.push(end))
  onTestFinished(stop)
  await second.deliver('ping', { payload: { zen: 'Back again' } })
  await rows(page).filter({ hasText: 'ping' }).waitFor()
  await page.getByText('Connection lost').waitFor({ state: 'detached' })
  await rows(page).getByRole('link').click()
  await page.getByRole('heading', { level: 1, name: 'ping' }).waitFor()
  await stop()
  await page.getByText('Connection lost').waitFor()
})

test('an event that is older than the loaded list does not change it', async () => {
  const page = await scene.stranger()
  onTestFinished(() => page.context().close())
  await page.addInitScript(() => {
    const streams: EventTarget[] = []
    const EventSource = class extends EventTarget {
      constructor() {
        super()
        streams.push(this)
      }
      close() {}
    }
    Object.assign(globalThis, { EventSource, streams })
  })
  await scene.deliver('ping', { zen: 'Approachable is better than simple' })
  await page.goto(`${scene.url}/#token=${adminToken}`)
  await rows(page).first().waitFor()
  /** Sends events to the page as if the stream had sent them. */
  const tell = (...events: (readonly [name: string, data: object])[]) =>
    page.evaluate((said) => {
      const [stream] = (globalThis as unknown as { streams: EventTarget[] }).streams
      for (const [name, data] of said) stream?.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) }))
    }, events)

  await scene.deliver('issues', issue(7001))
  await scene.settled()
  const { deliveries } = await scene.ask('deliveries?limit=2')
  const [dead, other] = deliveries
  // An event from before the handler ended. On `ready`, the page requests the list, which has the current state.
  await tell(['delivery', { ...dead, state: 'running' }], ['ready', {}])
  await rows(page).filter({ hasText: 'Bug 7001' }).waitFor()
  await tell(['delivery', { ...other, repository: 'acme/told-later' }])
  await rows(page).filter({ hasText: 'acme/told-later' }).waitFor()
  expect(await rows(page).filter({ hasText: 'Bug 7001' }).locator('.state').textContent()).toBe('dead')
})
