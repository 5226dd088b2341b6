/** How an operator finds deliveries and commands: tabs, the histogram, the palette, saved searches. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { Hooks, Retry } from '../../src/index.ts'
import { minute } from '../../src/runtime/units.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { eventually, inboxFile, storeIn } from '../inbox/stores.ts'
import { issue, pullRequest } from './payloads.ts'
import { intercept, openScene, reloadAt, rows, type Scene } from './scene.ts'

let scene: Scene
let page: Page

beforeAll(async () => {
  const hooks = new Hooks({ secret: 'the server sets another secret', logger: false })
  hooks.on('issues', { name: 'tracker', attempts: 1 }, () => Promise.reject(new Error('No tracker')))
  hooks.on('pull_request', { name: 'ci' }, () => Promise.reject(new Retry({ after: 3_600_000 })))
  hooks.on('ping', { name: 'ping' }, () => 'pong')
  const database = inboxFile(afterAll)
  scene = await openScene(hooks, { database })
  const inbox = sqlite(database)
  for (const minutes of [40, 40, 30]) {
    await storeIn(inbox, {}, { event: 'fork', receivedAt: Date.now() - minutes * minute })
  }
  await inbox.close()
  for (const number of [1, 2, 3]) await scene.deliver('issues', issue(number))
  await scene.deliver('pull_request', pullRequest(7))
  await scene.deliver('ping', { zen: 'Quiet' })
  await scene.watched.deliver('ping', { secret: 'a wrong one' })
  await scene.settled()
  await eventually(async () => expect((await scene.ask('stats')).series.rejected).toHaveLength(1))
  page = await scene.open()
  return () => page.context().close()
})

beforeEach(async () => {
  await reloadAt(page, '#/deliveries')
  await rows(page).first().waitFor()
})

/** Delays the answers to requests for these addresses. @returns A function that lets them arrive. */
async function hold(address: RegExp): Promise<() => void> {
  const held = Promise.withResolvers<void>()
  await intercept(page, address, (route) => held.promise.then(() => route.continue()))
  onTestFinished(() => page.unrouteAll())
  return held.resolve
}

const asked = () => new URLSearchParams(page.url().split('?')[1]).get('q') ?? ''

describe('the tabs', () => {
  const tabs = () => page.getByRole('navigation', { name: 'Deliveries by state' })

  test('show how many deliveries are in common states', async () => {
    await expect
      .poll(() => tabs().getByRole('link').allTextContents())
      .toEqual(['All 8', 'Failures 4', 'Dead 3', 'Waiting 0', 'Rejected 1 in the last hour'])
    await expect.poll(() => page.title()).toBe('(3) Deliveries - hookserver')
    await page.getByRole('link', { name: 'Failures 3 dead deliveries' }).waitFor()
  })

  test('change the states of the search, and nothing else', async () => {
    await tabs().getByRole('link', { name: 'Failures' }).click()
    await expect.poll(() => rows(page).count()).toBe(4)
    expect(await tabs().locator('[aria-current]').textContent()).toBe('Failures 4')
    await page.goto(`${scene.url}/#/deliveries?q=state:retrying,dead number:2`)
    await expect.poll(() => rows(page).count()).toBe(1)
    expect(await tabs().locator('[aria-current]').textContent()).toBe('Failures ')
    await tabs().getByRole('link', { name: 'All' }).click()
    await expect.poll(asked).toBe('number:2')
    await page.goto(`${scene.url}/#/deliveries?q=event:issues state:dead or state:retrying number:2`)
    await expect.poll(() => tabs().locator('[aria-current]').textContent()).toBe('Failures ')
    await tabs().getByRole('link', { name: 'Waiting' }).click()
    await expect.poll(asked).toBe('state:pending event:issues number:2')
  })

  test('count again when deliveries change', async () => {
    const dead = tabs().getByRole('link', { name: 'Dead' })
    await expect.poll(() => dead.textContent()).toBe('Dead 3')
    await scene.deliver('issues', issue(4))
    await expect.poll(() => dead.textContent()).toBe('Dead 4')
    const { deliveries } = await scene.ask('deliveries?q=number:4')
    await scene.ask(`deliveries/${deliveries[0].id}/discard`, {})
    await expect.poll(() => dead.textContent()).toBe('Dead 3')
  })

  test('do not count again while a count is running', async () => {
    const clock = await scene.open()
    await clock.clock.install()
    let [running, maxRunning] = [0, 0]
    const held = Promise.withResolvers<void>()
    await clock.route(/\/stats$/, async (route) => {
      running += 1
      maxRunning = Math.max(maxRunning, running)
      await held.promise
      running -= 1
      await route.continue()
    })
    await Promise.all([clock.waitForRequest(/\/stats$/), clock.reload()])
    await clock.clock.runFor(60_000)
    held.resolve()
    const next = clock.waitForRequest(/\/stats$/)
    await clock.getByRole('link', { name: /^Dead [0-9]/ }).waitFor()
    await clock.clock.fastForward('15:00')
    await next
    expect(maxRunning).toBe(1)
    await clock.context().close()
  })

  test('lead to the rejected requests', async () => {
    await tabs().getByRole('link', { name: 'Rejected' }).click()
    await page.getByRole('heading', { name: 'Rejected requests' }).waitFor()
  })
})

describe('the histogram', () => {
  const histogram = () => page.getByRole('region', { name: 'Received deliveries by time', exact: true })
  const image = () => histogram().getByRole('img')
  const end = (name: string) => histogram().getByRole('slider', { name })
  const button = (name: string) => histogram().getByRole('button', { name, exact: true })
  /** Drags from one step of the image to another. */
  const drag = async (from: number, to: number) => {
    const { x, y, width } = (await image().boundingBox()) ?? { x: 0, y: 0, width: 0 }
    await page.mouse.move(x + from * width, y + 10)
    await page.mouse.down()
    await page.mouse.move(x + ((from + to) / 2) * width, y + 10)
    await page.mouse.move(x + to * width, y + 10)
    await page.mouse.up()
  }

  test('shows how many deliveries were received and failed, as an image and as a table', async () => {
    await expect.poll(() => image().getAttribute('aria-label')).toMatch(/: \d received, 4 failed, in steps of 1 min$/)
    await button('Table').click()
    const table = histogram().getByRole('table')
    const cells = await table.getByRole('row').last().getByRole('cell').allInnerTexts()
    expect(cells).toEqual(['2', '0'])
    await page.goto(`${scene.url}/#/deliveries?q=state:dead`)
    await histogram().getByText('3 received, 3 failed').waitFor()
  })

  test('makes a dragged range part of the search, and lets the operator leave it', async () => {
    await image().waitFor()
    await drag(0, 0.5)
    await expect.poll(asked).toMatch(/^until:\d{4}-\d\d-\d\dT\d\d:\d\dZ$/)
    await expect.poll(() => rows(page).count()).toBe(3)
    await histogram().getByText('3 received, 0 failed').waitFor()
    await button('Any time').click()
    await expect.poll(asked).toBe('')
    await drag(0.9, 0.5)
    await expect.poll(asked).toMatch(/^since:\S+ until:\S+$/)
    await page.getByRole('heading', { name: 'No delivery matches' }).waitFor()
  })

  test('is operated by keyboard', async () => {
    const before = await rows(page).count()
    await end('End').focus()
    await page.keyboard.press('Home')
    await page.keyboard.press('ArrowRight')
    await histogram().getByRole('status').getByText('2 received, 0 failed').waitFor()
    expect(await end('End').getAttribute('aria-valuenow')).toBe('2')
    await page.keyboard.press('Escape')
    await expect.poll(() => end('End').getAttribute('aria-valuenow')).not.toBe('2')
    await end('Start').focus()
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Enter')
    await expect.poll(asked).toMatch(/^since:\S+$/)
    await histogram().getByText('4 failed').waitFor()
    await expect.poll(() => rows(page).count()).toBe(before - 2)
  })

  test('has no counts of an invalid search', async () => {
    await image().waitFor()
    await page.goto(`${scene.url}/#/deliveries?q=sate:dead`) // cspell:disable-line: misspelled
    await histogram().getByText('The deliveries of this search could not be counted').waitFor()
    expect(await image().count()).toBe(0)
  })

  test('does not add an end of the previous search to a search that is still loading', async () => {
    await image().waitFor()
    const release = await hold(/\/histogram\?.*dead/)
    await page.goto(`${scene.url}/#/deliveries?q=state:dead since:2h`)
    await expect.poll(() => rows(page).count()).toBeLessThan(8)
    await drag(0, 0.5)
    expect(await page.evaluate('decodeURIComponent(location.hash)')).toBe('#/deliveries?q=state:dead since:2h')
    release()
    await histogram()
      .getByText(/^3 received, 3 failed|^4 received, 4 failed/)
      .waitFor()
  })

  test('forgets a chosen range when the search changes', async () => {
    await end('End').focus()
    await page.keyboard.press('Home')
    await button('Show this range').waitFor()
    await page.goto(`${scene.url}/#/deliveries?q=event:fork`)
    await histogram().getByText('3 received, 0 failed').waitFor()
    expect(await button('Show this range').count()).toBe(0)
  })

  test('says that the inbox no longer has the counts of a time', async () => {
    await page.goto(`${scene.url}/#/deliveries?q=.zen:Quiet since:90d until:60d`)
    await histogram().getByText('the kept counts begin later').waitFor()
    expect(await image().count()).toBe(0)
  })

  test('shows all deliveries if those of the search cannot be counted, and says so', async () => {
    await page.goto(`${scene.url}/#/deliveries?q=.zen:Quiet`)
    await histogram().getByText('These are all deliveries: those of the search take too long to count').waitFor()
    await expect.poll(() => rows(page).count()).toBe(1)
  })
})

describe('the palette', () => {
  const dialog = () => page.getByRole('dialog', { name: 'Commands' })
  const field = () => dialog().getByRole('combobox', { name: 'Command' })
  const options = () => dialog().getByRole('option')
  const open = async (text: string) => {
    await page.keyboard.press('Control+k')
    await field().fill(text)
  }

  test('is loaded when it is opened, also from a field, and returns the focus', async () => {
    const isLoaded = () =>
      page.evaluate("performance.getEntriesByType('resource').some(({ name }) => /palette/.test(name))")
    expect(await isLoaded()).toBe(false)
    await page.keyboard.press('/')
    await page.keyboard.press('Control+k')
    await options().first().waitFor()
    expect(await isLoaded()).toBe(true)
    await page.keyboard.type('over')
    expect(await field().inputValue()).toBe('over')
    expect(await options().first().getAttribute('aria-selected')).toBe('true')
    await page.keyboard.press('Escape')
    await dialog().waitFor({ state: 'detached' })
    expect(await page.evaluate('document.activeElement.role')).toBe('combobox')
  })

  test('takes the keys while it is loaded, so that they do not act on the page', async () => {
    const release = await hold(/palette.*\.js$/)
    const retries: string[] = []
    page.on('request', (request) => request.method() === 'POST' && retries.push(request.url()))
    await page.keyboard.press('j')
    await page.keyboard.press('Control+k')
    await page.keyboard.press('r')
    await dialog().getByText('Loading…').waitFor()
    await page.keyboard.press('r')
    release()
    await options().first().waitFor()
    await page.keyboard.type('over')
    await expect.poll(() => field().inputValue()).toBe('over')
    expect(retries).toEqual([])
  })

  test('keeps the chosen command when more commands arrive', async () => {
    const release = await hold(/\/recovery$/)
    await open('tr')
    const selected = dialog().locator('[aria-selected=true]')
    const before = await selected.textContent()
    release()
    await dialog().getByRole('option', { name: 'Pause tracker' }).waitFor()
    expect(await options().first().textContent()).toBe('Handler tracker page')
    expect(await selected.textContent()).toBe(before)
    await page.keyboard.press('ArrowUp')
    expect(await selected.textContent()).not.toBe(before)
  })

  test('goes to screens, and finds them by some of their letters', async () => {
    await open('hdl')
    await expect.poll(() => options().first().textContent()).toBe('Handlers screen')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Handlers', level: 1 }).waitFor()
    await page.getByRole('button', { name: 'Commands' }).click()
    await field().fill('ovr')
    await dialog().getByText('Overview').first().click()
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
  })

  test('proposes the command that is meant', async () => {
    await open('handelrs') // cspell:disable-line: misspelled
    await dialog().getByText('No command has this name. Did you mean “Handlers”?').waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Handlers', level: 1 }).waitFor()
  })

  test('has the commands of a delivery, of the list and of the failures while they are shown', async () => {
    const found = async (text: string, names: readonly string[]) => {
      await open(text)
      for (const name of names) await dialog().getByRole('option', { name }).waitFor()
      await page.keyboard.press('Escape')
    }
    const id: number = (await scene.ask('deliveries?state=dead')).deliveries[0].id
    await page.goto(`${scene.url}/#/deliveries/${id}`)
    await page.getByRole('button', { name: 'Discard' }).waitFor()
    const ofDelivery = [`Retry delivery ${id}`, `Discard delivery ${id}`, `Edit and send delivery ${id}`]
    await found('delivery', [...ofDelivery, 'Copy the link to delivery', 'Next delivery', 'Previous delivery'])
    await open('copy the link')
    await page.keyboard.press('Enter')
    await page.getByText('Copied the link to this delivery').waitFor()
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(`${scene.url}/#/deliveries/${id}`)
    await open(`discard delivery ${id}`)
    await page.keyboard.press('Enter')
    await page
      .getByRole('dialog', { name: `Discard delivery ${id}?` })
      .getByRole('button', { name: 'Cancel' })
      .click()
    await page.goto(`${scene.url}/#/deliveries?q=state:dead`)
    await expect.poll(() => rows(page).count()).toBe(3)
    await found('dis', ['Discard all 3…'])
    await open('pause upd')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Resume updates' }).waitFor()
    await page.goto(`${scene.url}/#/failures`)
    await page.getByRole('button', { name: 'Discard all 3' }).waitFor()
    await found('all 3 of tr', ['Retry all 3 of tracker', 'Discard all 3 of tracker'])
    await open('copy the link')
    await expect.poll(() => options().allTextContents()).toEqual(['Search deliveries copy the link'])
    await field().fill('handler track')
    await dialog().getByRole('option', { name: 'Handler tracker' }).waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'tracker', level: 1 }).waitFor()
  })

  test('opens deliveries by their ids and GUIDs, and searches', async () => {
    await open('5')
    await page.keyboard.press('Enter')
    await page.getByText('delivery 5', { exact: true }).waitFor()
    const { guid } = await scene.ask('deliveries/6')
    await open(guid)
    await page.keyboard.press('Enter')
    await page.getByText('delivery 6', { exact: true }).waitFor()
    await open('00000000-0000-0000-0000-000000000000')
    await page.keyboard.press('Enter')
    await page.getByText('No delivery has this GUID').waitFor()
    await open('number:2')
    await options().last().click()
    await expect.poll(asked).toBe('number:2')
  })

  test('pauses and resumes a handler', async () => {
    await open('pause tra')
    await expect.poll(() => options().first().textContent()).toBe('Pause tracker handler')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: 'Pause tracker?' }).getByRole('button', { name: 'Pause' }).click()
    await page.getByText('Paused tracker').waitFor()
    await open('resume')
    await expect.poll(() => options().first().textContent()).toBe('Resume tracker handler')
    await page.keyboard.press('Enter')
    await page.getByText('Resumed tracker').waitFor()
  })

  test('changes the theme and the time zone', async () => {
    await open('dark')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.evaluate('document.documentElement.dataset.theme')).toBe('dark')
    await open('utc')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.evaluate("localStorage.getItem('hookserver.utc')")).toBe('true')
    await open('times')
    await expect.poll(() => options().first().textContent()).toBe('Times in your time zone setting')
  })
})

describe('saved searches', () => {
  const saved = () => page.getByRole('dialog', { name: 'Saved searches' })

  test('are named, found in the palette, and deleted', async () => {
    await page.goto(`${scene.url}/#/deliveries?q=state:dead number:2`)
    await page.getByRole('button', { name: 'Saved searches' }).click()
    await saved().getByRole('textbox', { name: 'Name of' }).fill('<b>Second')
    await saved().getByRole('button', { name: 'Save' }).click()
    await saved().getByRole('link', { name: '<b>Second' }).waitFor()
    await page.keyboard.press('Escape')
    await reloadAt(page, '#/handlers')
    await page.getByRole('button', { name: 'Commands' }).click()
    await page.getByRole('option', { name: '<b>Second' }).click()
    await expect.poll(asked).toBe('state:dead number:2')
    await page.getByRole('button', { name: 'Saved (1) searches' }).click()
    await saved().getByRole('button', { name: 'Delete <b>Second' }).click()
    await saved().getByText('There are none').waitFor()
  })

  test('are the same in all tabs', async () => {
    const save = async (tab: Page, name: string) => {
      await tab.goto(`${scene.url}/#/deliveries?q=state:dead`)
      await tab.getByRole('button', { name: 'Saved' }).click()
      await tab.getByRole('textbox', { name: 'Name of' }).fill(name)
      await tab.getByRole('button', { name: 'Save', exact: true }).click()
    }
    const other = await page.context().newPage()
    other.setDefaultTimeout(60_000)
    await other.goto(`${scene.url}/#/deliveries`)
    await rows(other).first().waitFor()
    await save(page, 'One')
    await other.getByRole('button', { name: 'Saved (1) searches' }).waitFor()
    await save(other, 'Two')
    await saved().getByRole('link', { name: 'Two' }).waitFor()
    await saved().getByRole('link', { name: 'One' }).waitFor()
    await other.close()
  })

  test('offer to reload the page if their code is not available', async () => {
    await intercept(page, /saved-dialog.*\.js$/, (route) => route.fulfill({ status: 404 }))
    onTestFinished(() => page.unrouteAll())
    await page.getByRole('button', { name: 'Saved' }).click()
    await saved().getByRole('alert').getByText('could not be loaded').waitFor()
    await page.keyboard.press('Escape')
    await saved().waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Saved' }).click()
    await page.unrouteAll()
    await saved().getByRole('button', { name: 'Reload the page' }).click()
    await rows(page).first().waitFor()
    await page.getByRole('button', { name: 'Saved' }).click()
    await saved().getByText('This browser keeps them').waitFor()
  })
})
