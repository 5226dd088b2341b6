import { describe, expect, test } from 'vitest'
import { adminToken } from '../server/watched.ts'
import { issue, pullRequest } from './payloads.ts'
import { intercept } from './scene.ts'
import { openTracked } from './tracked.ts'

const { scene, page, tracker, row, button, said, fail } = await openTracked()
const dialog = (name: string | RegExp) => page.getByRole('dialog', { name })

describe('one delivery', () => {
  test('is retried with a key', async () => {
    await fail(1)
    tracker.isUp = true
    await row('Bug 1').getByRole('link').focus()
    await page.keyboard.press('r')
    await said(/Delivery \d+ is pending, and will be retried/).waitFor()
    await row('Bug 1').filter({ hasText: 'done' }).waitFor()
  })

  test('that is done needs a confirmation, because every handler runs again', async () => {
    await scene.deliver('ping', { zen: 'Once more' })
    await row('ping').first().filter({ hasText: 'done' }).waitFor()
    await row('ping').first().getByRole('link').click()
    await button('Run again').click()
    await dialog(/Run delivery \d+ again/)
      .getByRole('button', { name: 'Cancel' })
      .click()
    await button('Run again').click()
    await dialog(/Run delivery/)
      .getByRole('button', { name: 'Run again' })
      .click()
    await said(/Delivery \d+ is pending, and will be retried/).waitFor()
    const id = Number(/\d+$/.exec(page.url())?.[0])
    await expect.poll(async () => (await scene.ask(`deliveries/${id}`)).attempts).toBe(2)
  })

  test('is discarded after a confirmation, and can be retried', async () => {
    await scene.deliver('pull_request', pullRequest(5))
    await row('Change 5').filter({ hasText: 'retrying' }).waitFor()
    await row('Change 5').getByRole('link').click()
    await button('Discard').click()
    await dialog(/Discard delivery/)
      .getByLabel(/^Reason/)
      .fill('Tests failed')
    await page.keyboard.press('Enter')
    await said(/Discarded delivery \d+/).waitFor()
    await page.locator('.head').getByText('discarded').waitFor()
    await page.locator('.why').getByText('Tests failed').waitFor()
    await button('Retry').click()
    await said(/Delivery \d+ is pending, and will be retried/).waitFor()
  })
})

describe('a delivery of a paused handler', () => {
  test('says in the list and on its page why it waits, and resumes the handler', async () => {
    await scene.ask('handlers/ping/pause', {})
    await scene.deliver('ping', { zen: 'Wait for me' })
    await row('ping').first().getByText('Waits: the handler ping is paused').waitFor()
    await row('ping').first().getByRole('link').click()
    await page.locator('.note').getByText('Waits: the handler ping is paused').waitFor()
    await page.getByRole('region', { name: 'Handler ping' }).getByText('Waits: this handler is paused.').waitFor()
    expect(await page.getByText('No attempt has started').count()).toBe(0)
    await button('Resume ping').click()
    await page.locator('.head').getByText('done').waitFor()
    await page.getByText('is paused').waitFor({ state: 'detached' })
  })

  test('says so if all handlers are paused', async () => {
    await scene.ask('handlers/pause', { all: true })
    await scene.deliver('ping', { zen: 'Wait for all' })
    await page.getByText('Deliveries in this list wait: all handlers are paused').waitFor()
    await button('Resume all').click()
    await row('ping').first().filter({ hasText: 'done' }).waitFor()
    await page.getByText('are paused').waitFor({ state: 'detached' })
  })
})

describe('many deliveries', () => {
  test('are retried if they are selected', async () => {
    await fail(21, 22, 23)
    tracker.isUp = true
    await row('Bug 21').getByRole('checkbox').check()
    await row('Bug 23').getByRole('checkbox').check()
    await button('Retry 2 selected…').click()
    await dialog('Retry deliveries').getByRole('button', { name: 'Retry 2 deliveries' }).click()
    await said('2 deliveries are pending, and will be retried').waitFor()
    await row('Bug 23').filter({ hasText: 'done' }).waitFor()
    expect(await row('Bug 22').textContent()).toContain('dead')
  })

  test('are retried if the search finds them, after the dialog has shown their number by state', async () => {
    await fail(31, 32)
    tracker.isUp = true
    await page.goto(`${scene.url}/#/deliveries?q=event:issues`)
    await button('Retry all 6…').click()
    const asking = dialog('Retry deliveries')
    const choice = (state: string) => asking.getByRole('checkbox', { name: new RegExp(`^${state}`) })
    await choice('dead').waitFor()
    expect(await asking.getByText(/^3$/).count()).toBe(2) // 22, 31 and 32 are dead; 1, 21 and 23 are done
    expect(await choice('dead').isChecked()).toBe(true)
    expect(await choice('done').isChecked()).toBe(false)
    await asking.getByRole('button', { name: 'Retry 3 deliveries' }).click()
    await said('3 deliveries are pending, and will be retried').waitFor()
    await scene.settled()
    await page.goto(`${scene.url}/#/deliveries?q=event:issues state:dead`)
    await page.getByRole('heading', { name: 'No delivery matches' }).waitFor()
  })

  test('stay in the list when they no longer match, and are not counted', async () => {
    await fail(61, 62)
    tracker.isUp = true
    await page.goto(`${scene.url}/#/deliveries?q=event:issues state:dead`)
    await button('Retry all 2…').click()
    await dialog('Retry deliveries').getByRole('button', { name: 'Retry 2 deliveries' }).click()
    await row('Bug 61').filter({ hasText: 'done' }).waitFor()
    await said('0 deliveries. 2 rows no longer match').waitFor()
    expect(await button(/^Retry all/).count()).toBe(0)
    await button('Refresh list').click()
    await page.getByRole('heading', { name: 'No delivery matches' }).waitFor()
  })

  test('stay in the dialog when they no longer match, and the dialog keeps the typed reason', async () => {
    for (const number of [71, 72]) await scene.deliver('pull_request', pullRequest(number, 'acme/typed'))
    await scene.settled()
    await page.goto(`${scene.url}/#/deliveries?q=repo:acme/typed state:retrying`)
    await button('Discard all 2…').click()
    const asking = dialog('Discard deliveries')
    await asking.getByRole('button', { name: 'Discard 2 deliveries' }).waitFor()
    const reason = asking.getByLabel(/^Reason/)
    await reason.focus()
    await page.keyboard.type('never ')
    const { deliveries } = await scene.ask('deliveries?repository=acme/typed')
    await scene.ask('deliveries/discard', { ids: deliveries.map(({ id }: { id: number }) => id) })
    await page.getByText('0 deliveries. 2 rows no longer match').waitFor()
    await page.keyboard.type('needed')
    expect(await reason.inputValue()).toBe('never needed')
    await asking.getByRole('button', { name: 'Cancel' }).click()
    await scene.deliver('pull_request', pullRequest(73, 'acme/typed'))
    await button('Discard all 1…').waitFor()
    expect(await asking.count()).toBe(0)
  })

  test('are discarded in batches, with a reason, until the operator stops the operation', async () => {
    await scene.deliverMany(250, 'pull_request', (index) => pullRequest(100 + index, 'acme/many'))
    await scene.settled()
    await page.goto(`${scene.url}/#/deliveries?q=repo:acme/many`)
    await button('Discard all that match…').click()
    const asking = dialog('Discard deliveries')
    await asking.getByLabel(/^Reason/).fill('not needed')
    // The second request is held until the operator has stopped the operation.
    let release: () => void = () => undefined
    const stopped = new Promise<void>((resolve) => (release = resolve))
    let requests = 0
    await intercept(page, '**/api/v1/deliveries/discard', async (route) => {
      requests += 1
      if (requests === 2) await stopped
      await route.continue()
    })
    await asking.getByRole('button', { name: 'Discard 250 deliveries' }).dblclick()
    await asking.getByText('100 of 250 deliveries').waitFor()
    await asking.getByRole('button', { name: 'Stop' }).click()
    release()
    await said('Discarded 200 deliveries. Stopped with 50 deliveries remaining').waitFor()
    await page.unroute('**/api/v1/deliveries/discard')
    const { deliveries } = await scene.ask('deliveries?repository=acme/many&state=discarded&limit=500')
    expect(deliveries).toHaveLength(200)
    expect((await scene.ask(`deliveries/${deliveries[0].id}`)).reason).toBe('not needed')
  })
})

describe('more deliveries than the dialog counts', () => {
  test('are changed page by page', async () => {
    for (let number = 1; number <= 3; number++) await scene.deliver('pull_request', pullRequest(number, 'acme/more'))
    await scene.settled()
    await page.goto(`${scene.url}/#/deliveries?q=repo:acme/more`)
    await row('acme/more').first().waitFor()
    // The first answer is held, and its page is the last one that the dialog counts.
    const { deliveries } = await scene.ask('deliveries?repository=acme/more')
    let release: () => void = () => undefined
    const seen = new Promise<void>((resolve) => (release = resolve))
    const many = Array.from({ length: 10_000 }, (_, index) => ({ id: 1e9 - index, state: 'done' }))
    const isPage = (url: URL) => url.pathname === '/api/v1/deliveries' && url.searchParams.get('limit') === '500'
    const isFirst = (url: URL) => isPage(url) && !url.searchParams.has('cursor')
    const later: string[] = []
    page.on('request', (request) => {
      const url = new URL(request.url())
      if (isPage(url) && !isFirst(url)) later.push(url.searchParams.get('q') ?? '')
    })
    await intercept(page, isFirst, async (route) => {
      await seen
      const { next } = await scene.ask('deliveries?repository=acme/more&limit=1')
      await route.fulfill({ json: { deliveries: [...many, deliveries[0]], next, scanned: 1, left: 2 } })
    })
    await button(/^Discard all/).click()
    const asking = dialog('Discard deliveries')
    await asking.getByRole('button', { name: 'Counting…' }).waitFor()
    expect(await asking.getByRole('button', { name: 'Counting…' }).isDisabled()).toBe(true)
    release()
    await asking.getByRole('button', { name: 'Discard more than 1 delivery' }).click()
    await said('Discarded 3 deliveries').waitFor()
    await page.unroute(isFirst)
    expect(later).toEqual(['state:dead,retrying,pending,running repo:acme/more'])
    const discarded = await scene.ask('deliveries?repository=acme/more&state=discarded')
    expect(discarded.deliveries).toHaveLength(3)
  })
})

describe('many deliveries, some changed meanwhile', () => {
  test('are not retried again after another operator has retried them', async () => {
    await fail(51, 52)
    await row('Bug 51').getByRole('checkbox').check()
    await row('Bug 52').getByRole('checkbox').check()
    await button('Retry 2 selected…').click()
    const [{ id }] = (await scene.ask('deliveries?q=Bug 51')).deliveries
    tracker.isUp = true
    await scene.ask(`deliveries/${id}/retry`, {})
    await scene.settled()
    await dialog('Retry deliveries').getByRole('button', { name: 'Retry 2 deliveries' }).click()
    await said('1 delivery is pending, and will be retried. Skipped 1 delivery whose state had changed').waitFor()
    await row('Bug 52').filter({ hasText: 'done' }).waitFor()
    expect((await scene.ask(`deliveries/${id}`)).attempts).toBe(2)
  })

  test('report the progress after a failure', async () => {
    await scene.deliverMany(101, 'pull_request', (index) => pullRequest(1 + index, 'acme/cut'))
    await scene.settled()
    await page.goto(`${scene.url}/#/deliveries?q=repo:acme/cut`)
    await button('Discard all that match…').click()
    let requests = 0
    await intercept(page, '**/api/v1/deliveries/discard', (route) =>
      ++requests === 2 ? route.abort() : route.continue(),
    )
    await button('Discard 101 deliveries').click()
    await said('Discarded 100 deliveries. Failed with 1 delivery remaining: The server does not').waitFor()
    await page.unroute('**/api/v1/deliveries/discard')
    await button('Close this message').click()
  })
})

describe('an error', () => {
  const message = () => page.getByRole('status').getByText('The server does not respond')
  const failToRetry = async () => {
    await row('Bug 71').getByRole('link').focus()
    await page.keyboard.press('r')
    await message().waitFor()
  }

  test('is shown once, and leaves with its screen or after a time, unless the mouse is on it', async () => {
    await fail(71)
    await page.clock.install()
    await intercept(page, '**/api/v1/deliveries/retry', (route) => route.abort())
    for (let turn = 0; turn < 3; turn++) await failToRetry()
    expect(await message().count()).toBe(1)
    await page.getByRole('link', { name: 'Handlers' }).click()
    await message().waitFor({ state: 'detached' })

    await page.getByRole('link', { name: 'Deliveries', exact: true }).click()
    await failToRetry()
    await message().hover()
    await page.clock.fastForward(60_000)
    expect(await message().count()).toBe(1)
    await page.mouse.move(0, 0)
    await page.clock.fastForward(60_000)
    await message().waitFor({ state: 'detached' })
    await page.unroute('**/api/v1/deliveries/retry')
    await page.clock.resume()
  })
})

describe('a new delivery', () => {
  const editor = () => page.getByRole('textbox', { name: 'Payload, as JSON' })

  test('is created from a sample', async () => {
    await page.getByRole('link', { name: 'Send' }).click()
    await page.getByRole('heading', { name: 'Send a sample' }).waitFor()
    await page.getByLabel('Event').selectOption('issues.labeled')
    await editor().getByText('"labeled"').waitFor()
    await button('Send').click()
    await page.getByRole('heading', { level: 1, name: 'issues.labeled' }).waitFor()
    const id = Number(/\d+$/.exec(page.url())?.[0])
    expect(await scene.ask(`deliveries/${id}`)).toMatchObject({
      source: 'dashboard',
      event: 'issues',
      action: 'labeled',
    })
  })

  test('is created from an existing one, with another payload', async () => {
    await fail(41)
    await row('Bug 41').getByRole('link').click()
    await page.getByRole('link', { name: 'Edit and send' }).click()
    await editor().getByText('"Bug 41"').waitFor()
    await editor().fill(JSON.stringify(issue(42, 'Mended')))
    await button('Send').click()
    await page.getByRole('heading', { level: 1, name: 'issues.opened' }).waitFor()
    const id = Number(/\d+$/.exec(page.url())?.[0])
    await expect.poll(async () => (await scene.ask(`deliveries/${id}`)).title).toBe('Mended')
    expect((await scene.ask(`deliveries/${id}`)).editedFrom).toBeGreaterThan(0)
  })

  test('keeps the digits of long numbers', async () => {
    const text = '{"action":"opened","issue":{"number":43,"title":"Bug 43"},"big":12345678901234567890,"price":1.10}'
    await scene.deliver('issues', text)
    await row('Bug 43').getByRole('link').click()
    await page.getByText('more digits than a browser can represent').waitFor()
    await page.getByRole('link', { name: 'Edit and send' }).click()
    await editor().getByText('12345678901234567890').waitFor()
    await button('Send').click()
    await page.getByRole('heading', { level: 1, name: 'issues.opened' }).waitFor()
    const id = Number(/\d+$/.exec(page.url())?.[0])
    const body = await page.evaluate(`fetch('api/v1/deliveries/${id}/body').then((answer) => answer.text())`)
    expect(body).toBe(text)
  })

  test('is kept while the operator logs in again', async () => {
    await page.goto(`${scene.url}/#/send?event=ping`)
    await editor().getByText('"zen"').waitFor()
    await editor().fill('{ "zen": "Not lost" }')
    await page.context().clearCookies()
    await button('Send').click()
    await page.getByText('Your session has ended').waitFor()
    await page.getByLabel('Token').fill(adminToken)
    await button('Log in').click()
    await editor().getByText('"Not lost"').waitFor()
    await button('Reset').click()
    await expect.poll(() => editor().textContent()).not.toContain('Not lost')
  })

  test('is not created from invalid JSON: the error is shown, and the text stays', async () => {
    await page.goto(`${scene.url}/#/send?event=ping`)
    await editor().getByText('"zen"').waitFor()
    await editor().fill('{ "zen": ')
    await button('Send').click()
    await page.getByText('The payload is not JSON').waitFor()
    expect(await editor().textContent()).toContain('{ "zen": ')
    await button('Close this message').click()
  })
})
