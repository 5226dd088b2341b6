import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Delivery, type Handler, Hooks, Retry } from '../../src/index.ts'
import { type SignedRequestOptions, signedRequest } from '../../src/testing/index.ts'
import { secrets } from '../server/watched.ts'
import { issue } from './payloads.ts'
import { openScene, type Scene } from './scene.ts'

let scene: Scene
let page: Page
/** Ends the running handler of pushes. */
let finish: () => void = () => undefined

beforeAll(async () => {
  const hooks = new Hooks({ secret: 'the server sets another secret', logger: false })
  hooks.on('push', { name: 'deploy' }, () => new Promise<void>((resolve) => (finish = resolve)))
  hooks.on('star', { name: 'stars' }, () => Promise.reject(new Retry({ after: 3_600_000 })))
  hooks.on('issues', { name: 'tracker', attempts: 1 }, track)
  hooks.on('ping', { name: 'pong' }, pong)
  scene = await openScene(hooks)
  page = await scene.open()
})

const pong: Handler<'ping'> = ({ log }) => {
  log.info({ answer: 42 }, 'asked')
  return { pong: true }
}

/** Fails if the title of the issue is `stack` or `long`. */
function track({ payload }: Delivery): string {
  const { title } = (payload as { issue?: { title?: string } }).issue ?? {}
  if (title === 'stack') throw new Error('The tracker answered 503\nand said why')
  if (title === 'long') throw new Error(`<img src=x onerror=alert(1)>\u202e ${'x'.repeat(1_000_000)}`)
  return 'filed'
}

/** Delivers a payload. @returns The id of the delivery. */
async function deliver(event: string, payload: object | string, options: SignedRequestOptions = {}): Promise<number> {
  await scene.deliver(event, payload, options)
  return scene.newest()
}

const show = (id: number) => scene.show(page, id)
const rows = () => page.getByRole('treeitem')
const row = (text: string | RegExp) => rows().filter({ hasText: text })
const chosen = () => page.getByRole('treeitem', { selected: true })
const button = (name: string | RegExp) => page.getByRole('button', { name })
const tab = (name: string) => page.getByRole('tab', { name })
const clipboard = () => page.evaluate('navigator.clipboard.readText()')

describe('a delivery that failed', () => {
  let id: number
  beforeAll(async () => {
    id = await deliver('issues', issue(7, 'stack'))
    await scene.settled()
    await show(id)
  })

  test('shows its subject, its state and the reason before anything is expanded', async () => {
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('issues.opened')
    expect(await page.locator('.head').getByText('dead').count()).toBe(1)
    expect(await page.locator('.about').textContent()).toBe('#7 stack')
    expect(await page.locator('.why').textContent()).toMatch(
      /tracker failed 1 of 1 attempt: Error: The tracker answered 503$/,
    )
    expect(await page.locator('.attempt[open] pre').textContent()).toMatch(/503\nand said why\n\s+at track/)
  })

  const fact = (name: string) => page.locator('.request dl > div', { has: page.getByText(name, { exact: true }) })

  test('shows its history in order', async () => {
    const steps = await page.locator('.timeline li strong').allInnerTexts()
    expect(steps).toEqual(['received', 'verified', 'stored', 'replied', 'tracker'])
    expect(await page.locator('.timeline li').last().locator('strong + .small').textContent()).toBe('attempt 1')
  })

  test('shows the reply that the sender got, and the replies to copies', async () => {
    const request = signedRequest('issues', { secret: secrets[0] as string, payload: JSON.stringify(issue(31)) })
    const send = async () => {
      const response = await fetch(scene.watched.service.publicUrl as string, request)
      return `${response.status} ${await response.text()}`
    }
    const reply = await send()
    await show(await scene.newest())
    await fact('Reply').getByText(reply, { exact: true }).waitFor()
    expect(await fact('Copies').count()).toBe(0)
    const replyToCopy = await send()
    await fact('Copies').getByText('1 copy received later').waitFor()
    expect(await fact('Copies').textContent()).toContain(replyToCopy)
    await show(id)
  })

  test('shows no reply that was not recorded', async () => {
    expect(await fact('Replied').count()).toBe(1)
    await page.route(`**/api/v1/deliveries/${id}`, async (route) => {
      const response = await route.fetch()
      await route.fulfill({ response, json: { ...(await response.json()), ackedAt: undefined } })
    })
    await page.reload()
    await fact('Reply').getByText('not recorded', { exact: true }).waitFor()
    expect(await fact('Replied').count()).toBe(0)
    expect(await page.locator('.timeline li strong').allInnerTexts()).not.toContain('replied')
    await page.unrouteAll({ behavior: 'wait' })
    await page.reload()
    await fact('Replied').waitFor()
  })

  test('links to its page on GitHub, with the address', async () => {
    const link = page.getByRole('link', { name: /^Open on github\.com/ })
    expect(await link.getAttribute('href')).toBe('https://github.com/acme/shop/issues/7')
    expect(await link.getAttribute('rel')).toBe('noreferrer')
  })

  test('shows the headers, and copies one that is stored', async () => {
    const { guid } = await scene.ask(`deliveries/${id}`)
    await button('Copy the header x-github-delivery').click()
    await expect.poll(clipboard).toBe(guid)
    const signature = page.locator('.headers tr', { hasText: 'x-hub-signature-256' })
    expect(await signature.locator('td').first().textContent()).toBe('[not kept]')
    expect(await signature.getByRole('button').count()).toBe(0)
  })

  test('offers its bytes as a download', async () => {
    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: 'Download' }).click()
    const stream = await (await download).createReadStream()
    expect(JSON.parse((await stream.toArray()).join(''))).toEqual(issue(7, 'stack'))
  })

  test('highlights the current row in forced colors', async () => {
    await show(await deliver('issues', issue(10)))
    await page.emulateMedia({ forcedColors: 'active' })
    await page.getByRole('treeitem', { selected: true }).waitFor()
    const styles =
      "['.row.active', '.row:not(.active)'].map((row) => getComputedStyle(document.querySelector(row)).outlineStyle)"
    expect(await page.evaluate(styles)).toEqual(['solid', 'none'])
    await page.emulateMedia({ forcedColors: 'none' })
  })

  test('starts at the top of the page, even if much of its payload is expanded', async () => {
    const members = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`member ${index}`, index]))
    await show(await deliver('issues', { action: 'opened', issue: { number: 9, ...members } }))
    await page.getByRole('treeitem', { name: 'member 5' }).first().waitFor()
    expect(await page.evaluate("document.querySelector('[role=tree]').scrollTop")).toBe(0)
  })
})

describe('a delivery', () => {
  test('is updated until it has ended', async () => {
    const id = await deliver('push', { ref: 'refs/heads/main', repository: { full_name: 'acme/shop' } })
    await show(id)
    await page.locator('.head').getByText('running').waitFor()
    finish()
    await page.locator('.head').getByText('done').waitFor()
    await page.locator('.timeline').getByText('succeeded').waitFor()
  })

  test('that is retrying counts down to its next attempt', async () => {
    await show(await deliver('star', { action: 'created' }))
    await page
      .locator('.timeline li.next')
      .getByText(/^in (59 min|1 h)$/)
      .waitFor()
  })

  test('shows the log and the return value of its handler', async () => {
    await show(await deliver('ping', { zen: 'Keep it simple' }))
    await page.locator('.attempt summary').click()
    await page.getByRole('region', { name: 'Log' }).getByText('info asked {"answer":42}').waitFor()
    await page.getByRole('region', { name: 'Result' }).getByText('pong').waitFor()
  })

  test('that does not exist is reported', async () => {
    await page.goto(`${scene.url}/#/deliveries/999999`)
    await page.getByRole('heading', { name: 'There is no delivery 999999' }).waitFor()
    for (const place of ['..', '..%2Fsession', '0', '-1', 'abc', '9'.repeat(40)]) {
      await page.goto(`${scene.url}/#/deliveries/${place}`)
      await page.getByRole('heading', { name: `There is no delivery ${place}` }).waitFor()
    }
  })
})

describe('the payload', () => {
  const payload = {
    action: 'opened',
    issue: { number: 12, title: 'Twelve', labels: [{ name: 'bug' }, { name: 'Bug of bugs' }], body: 'one\ntwo' },
    repository: { full_name: 'acme/shop', owner: { login: 'acme' } },
  }
  let id: number
  beforeAll(async () => {
    id = await deliver('issues', payload)
    await show(id)
    await row('issue').first().waitFor()
  })

  test('is a tree with an expanded subject, and is navigated by keys', async () => {
    const names = async () => (await rows().locator('.name').allInnerTexts()).join(' ')
    expect(await names()).toBe('action issue number title labels body repository')
    await page.getByRole('tree').focus()
    for (const key of ['End', 'ArrowRight', 'ArrowRight', 'ArrowDown']) await page.keyboard.press(key)
    await expect.poll(names).toBe('action issue number title labels body repository full_name owner')
    await expect.poll(() => chosen().locator('.name').textContent()).toBe('owner')
    expect(await chosen().getAttribute('aria-level')).toBe('2')
    expect(await chosen().getAttribute('aria-expanded')).toBe('false')
    expect(await page.getByRole('tree').getAttribute('aria-activedescendant')).toBe(await chosen().getAttribute('id'))
    await page.keyboard.press('ArrowLeft')
    await expect.poll(() => chosen().locator('.name').textContent()).toBe('repository')
    await page.keyboard.press('ArrowLeft')
    await expect.poll(names).toBe('action issue number title labels body repository')
  })

  test('names no active row that is scrolled away, and therefore not in the page', async () => {
    await show(
      await deliver('issues', Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`name${index}`, 1]))),
    )
    const tree = page.getByRole('tree')
    await expect.poll(() => tree.getAttribute('aria-activedescendant')).toBeTruthy()
    await tree.evaluate((element) => element.scrollTo(0, element.scrollHeight))
    await row('name499').waitFor()
    expect(await tree.getAttribute('aria-activedescendant')).toBeNull()
    await show(id)
  })

  test('is searched, and expands collapsed hits', async () => {
    const field = page.getByRole('searchbox', { name: 'Search names and values' })
    await field.fill('BUG')
    await page.getByText('1 of 2').waitFor()
    await expect.poll(() => chosen().textContent()).toMatch(/name"bug"/)
    await field.press('Enter')
    await page.getByText('2 of 2').waitFor()
    await expect.poll(() => chosen().locator('mark').allInnerTexts()).toEqual(['Bug', 'bug'])
    await field.fill('nowhere')
    await page.getByText('no hits').waitFor()
    await field.fill('')
  })

  test('offers the path and the value of a row, and a search for deliveries with it', async () => {
    await page.getByLabel('Expand to level').selectOption({ label: 'all' })
    await row(/^name"Bug of bugs"/).click()
    await page.locator('.path').getByText('issue.labels.name').waitFor()
    await button('Copy path').click()
    await expect.poll(clipboard).toBe('issue.labels.name')
    await button('Copy value').click()
    await expect.poll(clipboard).toBe('"Bug of bugs"')
    await page.getByRole('link', { name: 'Find deliveries with this value' }).click()
    await page.getByRole('link', { name: 'issues.opened' }).waitFor()
    expect(await page.getByRole('table', { name: 'Deliveries' }).locator('a.open').count()).toBe(1)
    await show(id)
  })

  test('shows a text of several lines in full', async () => {
    await row('body').click()
    await button(/^Show full text/).click()
    await expect.poll(() => page.getByRole('dialog').locator('.slice').allInnerTexts()).toEqual(['one', 'two'])
    await page.keyboard.press('Escape')
  })

  test('is shown as text and as bytes', async () => {
    await tab('Text').click()
    await page.getByRole('region', { name: 'The body as text' }).getByText('{"action":"opened"').waitFor()
    await page.keyboard.press('ArrowRight')
    await page.getByRole('region', { name: 'Bytes' }).getByText('{"action":"opene').waitFor()
    expect(await page.locator('.bytes').first().textContent()).toMatch(/^000000007b 22 61 63/)
  })

  test('is compared with the previous one about the same subject', async () => {
    const before = id
    await show(
      await deliver('issues', { ...payload, issue: { ...payload.issue, title: '<b>13</b>', body: undefined } }),
    )
    await tab('Difference').click()
    await page.getByText(`Compared with issues.opened, delivery ${before}`).waitFor()
    const changes = page.getByRole('region', { name: 'Differences' }).locator('tbody tr')
    expect((await changes.allInnerTexts()).map((text) => text.trim().split(/\s*\t\s*/))).toEqual([
      ['changed', 'issue.title', '"Twelve"', '"<b>13</b>"'],
      ['removed', 'issue.body', '"one\\ntwo"'],
    ])
    await page.locator('.others').getByText('this delivery').waitFor()
    expect(await page.locator('.others li a').getAttribute('href')).toBe(`#/deliveries/${before}`)
  })

  test('of a form is shown decoded', async () => {
    await show(await deliver('issues', payload, { form: true }))
    await row('Twelve').first().waitFor()
    await tab('Text').click()
    await page.getByText('payload=%7B%22action').waitFor()
  })

  test('leaves no blank space below a short payload, and scrolls a long one', async () => {
    const heights = () =>
      page.evaluate(
        `[...document.querySelectorAll('[role=tree], [role=tree] .all, .path-bar, .panel')].map((one) => one.clientHeight)`,
      ) as Promise<number[]>
    await show(await deliver('issues', { action: 'opened' }))
    await page.getByRole('treeitem', { name: 'action' }).waitFor()
    const [panel = 0, tree = 0, rows = 0, bar = 0] = await heights()
    expect(tree - rows).toBeLessThan(24) // less than a row: the space of a scroll bar
    expect(panel).toBeLessThan(tree + bar + 80)
    const long = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`member ${index}`, index]))
    await show(await deliver('issues', long))
    await page.getByRole('treeitem', { name: 'member 5' }).first().waitFor()
    expect((await heights())[1]).toBeLessThanOrEqual(560)
  })

  test('that cannot be parsed is shown unchanged, with the reason', async () => {
    await show(await deliver('issues', '{"a": nonsense}'))
    await page.getByText(/The body is not JSON: .*The body is shown unchanged/).waitFor()
    await page.getByRole('region', { name: 'The body as text' }).getByText('{"a": nonsense}').waitFor()
    expect(await tab('Tree').count()).toBe(0)
    expect(await page.locator('.why').textContent()).toMatch(/No handler ran: invalid_payload/)
  })
})

describe('a hostile delivery', () => {
  const script = '<script>alert(1)</script><img src=x onerror=alert(2)>'

  test('runs no script, links nowhere, and is shown as text', async () => {
    const text = JSON.stringify({
      ...{ action: script, lone: '\ud800', turned: 'abc\u202edef', long: 'x'.repeat(1_000_000), [script]: script },
      issue: { number: 666, title: `${script}\u202e`, html_url: 'javascript:alert(3)' },
      repository: { full_name: script, html_url: 'data:text/html,<script>alert(4)</script>' },
    })
    const deep = `"deep":${'['.repeat(10_000)}${']'.repeat(10_000)}`
    await show(await deliver('issues', `${text.slice(0, -1)},${deep},"__proto__":{"x":1},"twice":1,"twice":2}`))
    await expect.poll(() => page.getByRole('heading', { level: 1 }).textContent()).toBe(`issues.${script}`)
    await row('abc⟨U+202E⟩def').waitFor()
    await row('\\ud800').waitFor()
    await row('1,000,000 characters').waitFor()
    await row('__proto__').waitFor()
    await row(/twice\s*2/).waitFor()
    expect(await page.getByRole('link', { name: /^Open on/ }).count()).toBe(0)
    await page.getByLabel('Expand to level').selectOption({ label: 'all' })
    await page.getByRole('tree', { name: /10,0\d\d rows/ }).waitFor()
    await row('long').first().click()
    await button(/^Show full text/).click()
    await page.getByRole('dialog').locator('.slice').first().waitFor()
    await page.keyboard.press('Escape')
    for (const name of ['Text', 'Bytes', 'Difference']) {
      await tab(name).click()
      await page.getByRole('tabpanel', { name }).locator('.slice, .bytes, .blank').first().waitFor()
    }
    expect(await page.locator('main script, main img').count()).toBe(0)
  })

  test('whose handler failed with a text of 1 MB shows the beginning of the text', async () => {
    await show(await deliver('issues', issue(8, 'long')))
    await page.locator('.why').getByText('<img src=x onerror=alert(1)>⟨U+202E⟩ xxx').waitFor()
    const error = page.getByRole('region', { name: 'Error' })
    await error.getByRole('button', { name: /^Show all/ }).click()
    await error.getByRole('button', { name: 'Copy the error' }).click()
    await expect.poll(async () => String(await clipboard()).length).toBeGreaterThan(10_000)
  })
})

test('Esc returns to the list with the same search', async () => {
  await page.goto(`${scene.url}/#/deliveries?q=event:ping`)
  await page.getByRole('link', { name: 'ping' }).first().click()
  await page.getByRole('heading', { name: 'ping' }).waitFor()
  await page.keyboard.press('Escape')
  await expect.poll(() => page.url()).toMatch(/#\/deliveries\?q=event(:|%3A)ping$/)
})

test('nothing is wider than the page on a phone', async () => {
  const id = await deliver('issues', issue(9, 'stack'))
  await scene.settled()
  const phone = await scene.open(`#/deliveries/${id}`, { viewport: { width: 360, height: 740 }, hasTouch: true })
  await phone.getByRole('treeitem').first().waitFor()
  for (const name of ['Text', 'Bytes', 'Difference', 'Tree']) {
    await phone.getByRole('tab', { name }).click()
    expect(await phone.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0)
  }
  await phone.context().close()
})
