import type { Request } from 'playwright-core'
import { expect, test } from 'vitest'
import { intercept } from './scene.ts'
import { openTracked } from './tracked.ts'

const { scene, page, tracker, row, button, said, fail } = await openTracked()
const isRetry = ({ pathname }: URL) => /\/deliveries\/(\d+\/)?retry$/.test(pathname)

const boxOf = async (name: string) => (await button(name).boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }

/** The number of retry requests that the page sends during an action. */
async function askedDuring(done: () => Promise<unknown>): Promise<number> {
  let requests = 0
  const count = (request: Request) => (requests += Number(isRetry(new URL(request.url()))))
  page.on('request', count)
  await done()
  page.off('request', count)
  return requests
}

/** Holds the retry requests of the page. @returns a function that lets them continue. */
async function holdRetries(): Promise<() => void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  await intercept(page, isRetry, async (route) => {
    await promise
    await route.continue()
  })
  return resolve
}

test('a key that is held down retries a delivery once', async () => {
  await fail(3)
  await row('Bug 3').getByRole('link').focus()
  const asked = await askedDuring(async () => {
    await page.keyboard.down('r')
    await row('Bug 3').filter({ hasText: 'dead' }).locator('.attempts', { hasText: '2' }).waitFor()
    for (let turn = 0; turn < 5; turn++) await page.keyboard.down('r')
    await page.keyboard.up('r')
  })
  expect(asked).toBe(1)
})

test('a double click retries a delivery once', async () => {
  await fail(4)
  tracker.isUp = true
  await row('Bug 4').getByRole('link').click()
  await button('Retry').waitFor()
  const letThrough = await holdRetries()
  const asked = await askedDuring(async () => {
    await button('Retry').dblclick()
    letThrough()
    await said(/Delivery \d+ is pending, and will be retried/).waitFor()
  })
  expect(asked).toBe(1)
  await page.unroute(isRetry)
})

test('a delivery is not retried again after another operator has retried it', async () => {
  await fail(6)
  tracker.isUp = true
  await row('Bug 6').getByRole('link').click()
  await button('Retry').waitFor()
  const id = Number(/\d+$/.exec(page.url())?.[0])
  await intercept(page, isRetry, async (route) => {
    await scene.ask(`deliveries/${id}/retry`, {})
    await scene.settled()
    await route.continue()
  })
  await button('Retry').click()
  await said(`Delivery ${id} was not changed, because its state is now done`).waitFor()
  await page.unroute(isRetry)
  expect((await scene.ask(`deliveries/${id}`)).attempts).toBe(2)
})

test('a delivery that was deleted meanwhile is reported as deleted', async () => {
  await fail(7)
  await row('Bug 7').getByRole('link').focus()
  await intercept(page, isRetry, (route) => route.continue({ postData: '{"ids":[9999],"states":["dead"]}' }))
  await intercept(page, /\/api\/v1\/deliveries\/\d+$/, (route) =>
    route.continue({ url: `${scene.url}/api/v1/deliveries/9999` }),
  )
  await page.keyboard.press('r')
  await said('There is no delivery 9999').waitFor()
  await page.unrouteAll()
  await button('Close this message').click()
})

test('a double click retries many deliveries once, and does not click Stop', async () => {
  await fail(11, 12)
  tracker.isUp = true
  await row('Bug 11').getByRole('checkbox').check()
  await row('Bug 12').getByRole('checkbox').check()
  await button('Retry 2 selected…').click()
  const letThrough = await holdRetries()
  const act = await boxOf('Retry 2 deliveries')
  await page.mouse.dblclick(act.x + 5, act.y + act.height / 2, { delay: 60 })
  await button('Queueing 2 deliveries…').waitFor()
  const stop = await boxOf('Stop')
  expect(stop.x + stop.width).toBeLessThan(act.x)
  letThrough()
  await said('2 deliveries are pending, and will be retried').waitFor()
  await page.unroute(isRetry)
})
