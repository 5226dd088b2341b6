/** The failures in a browser: the list, a group, and the operations on it. */
import type { Page } from 'playwright-core'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { Hooks, Retry } from '../../src/index.ts'
import { issue, pullRequest } from './payloads.ts'
import { openScene, readOnlyToken, rows, type Scene } from './scene.ts'

const tracker = { isUp: false }
let scene: Scene
let page: Page

beforeAll(async () => {
  const hooks = new Hooks({ secret: 'the server sets another secret', logger: false })
  hooks.on('issues', { name: 'tracker', attempts: 1 }, ({ payload }) => {
    if (tracker.isUp) return 'filed'
    throw new Error(`Issue ${(payload.issue as { number: number }).number} was not filed`)
  })
  hooks.on('issues', { name: 'chat' }, () => 'told')
  hooks.on('pull_request', { name: 'ci' }, () => Promise.reject(new Retry({ after: 3_600_000 })))
  scene = await openScene(hooks, { readOnlyToken })
  page = await scene.open('#/failures')
})

beforeEach(async () => {
  tracker.isUp = false
  await page.goto(`${scene.url}/#/failures`)
})

const row = (text: string) => page.getByRole('row').filter({ hasText: text })

async function fail(...numbers: number[]): Promise<void> {
  for (const number of numbers) await scene.deliver('issues', issue(number))
  await scene.settled()
}

/** Shows the list as it is now, without waiting for the next poll. */
async function reload(): Promise<void> {
  await page.reload()
  await page.getByRole('heading', { name: 'Failures', exact: true }).waitFor()
}

test('shows that there are no failures', async () => {
  await page.getByRole('heading', { name: 'No failures' }).waitFor()
  expect(await page.title()).toBe('Failures - hookserver')
  expect(await page.locator('nav .tag').count()).toBe(0)
})

test('lists each group with its handler, error, tasks, chart, times and repositories', async () => {
  await fail(1, 2, 3)
  await scene.deliver('pull_request', pullRequest(7, 'A change'))
  await scene.settled()
  await reload()
  await row('Issue <n> was not filed').waitFor()
  const cells = await row('tracker').getByRole('cell').allTextContents()
  expect(cells).toEqual([
    expect.stringContaining('trackerError: Issue <n> was not filed'.replace('tracker', 'tracker ')),
    '3 dead',
    '3 failed attempts',
    expect.stringMatching(/^first .+last /),
    'acme/shop 3',
  ])
  expect(await row('ci').getByRole('cell').nth(1).textContent()).toBe('1 retrying')
  expect(await page.getByRole('columnheader').allTextContents()).toEqual([
    ...['Failure', 'Tasks', 'Last 24 hours', 'First and last', 'Repositories'],
  ])
})

test('shows the number of dead deliveries in the navigation and in the title', async () => {
  await reload()
  await page.getByRole('link', { name: 'Failures 3 dead deliveries' }).waitFor()
  await expect.poll(() => page.title()).toBe('(3) Failures - hookserver')
})

test('opens a group by keyboard, with the stack of its newest failure, and returns', async () => {
  await reload()
  await row('tracker').waitFor()
  await page.keyboard.press('j')
  if (!(await row('tracker').locator('a.open:focus').count())) await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Newest failure' }).waitFor()
  expect(await page.getByRole('region', { name: 'Error', exact: true }).textContent()).toMatch(
    /Error: Issue 3 was not filed\s+at /,
  )
  await page.getByRole('link', { name: 'Delivery 3' }).click()
  const task = page.getByRole('region', { name: 'Handler tracker' })
  const buttons = [task.getByRole('link', { name: /^All failures/ }), task.getByRole('button', { name: /^Run/ })]
  const [first, second] = await Promise.all(buttons.map((one) => one.boundingBox()))
  expect(second?.y).toBeCloseTo(first?.y ?? 0, 0)
  await page.getByRole('link', { name: 'All failures with this error' }).click()
  await page.getByRole('heading', { name: 'Newest failure' }).waitFor() // the page of the delivery has a heading 'tracker', too
  await page.keyboard.press('Escape')
  await row('tracker').waitFor()
})

test('lists the deliveries of a group', async () => {
  await reload()
  await row('tracker').getByRole('link').click()
  await page.getByRole('link', { name: 'Deliveries with this failure' }).click()
  await expect.poll(() => rows(page).getByRole('link').allTextContents()).toEqual(Array(3).fill('issues.opened'))
})

test('retries all tasks of a group, and leaves it when they have succeeded', async () => {
  tracker.isUp = true
  await reload()
  await row('tracker').getByRole('button', { name: 'Retry all 3' }).click()
  await page.getByRole('dialog', { name: 'Retry 3 tasks?' }).getByRole('button', { name: 'Retry 3 tasks' }).click()
  await page.getByRole('status').getByText('3 tasks are pending, and will be retried').waitFor()
  await row('tracker').waitFor({ state: 'detached' })
  await scene.settled()
  const { tasks } = await scene.ask('deliveries/1')
  expect(tasks.map((task: { handler: string; attempts: unknown[] }) => [task.handler, task.attempts.length])).toEqual([
    ['chat', 1],
    ['tracker', 2],
  ])
})

test('marks a group that fails again after it was resolved, and discards all of its tasks with a reason', async () => {
  await fail(4)
  await reload()
  await row('tracker')
    .getByText(/^returned/)
    .waitFor()
  await row('tracker').getByRole('link').click()
  await page.getByRole('heading', { name: 'tracker' }).waitFor()
  await page.getByRole('button', { name: 'Discard all 1' }).click()
  await page.getByLabel('Reason').fill(' the tracker is gone ')
  await page.getByRole('dialog').getByRole('button', { name: 'Discard 1 task' }).click()
  await page.getByRole('status').getByText('Discarded 1 task').waitFor()
  expect((await scene.ask('deliveries/5')).reason).toBe('the tracker is gone')
  await page.getByText('No failures of this group are left').waitFor()
  expect(await page.getByRole('button', { name: /^Retry all/ }).count()).toBe(0)
})

test('has no operations in a read-only session, and no column for selections', async () => {
  const reader = await scene.open('#/failures', { token: readOnlyToken })
  await reader.getByRole('row').filter({ hasText: 'ci' }).waitFor()
  expect(await reader.getByRole('button', { name: /^(Retry|Discard) all/ }).count()).toBe(0)
  await reader.goto(`${scene.url}/#/deliveries`)
  await rows(reader).first().waitFor()
  const [table, last] = await Promise.all([
    reader.getByRole('table', { name: 'Deliveries' }).boundingBox(),
    reader.getByRole('columnheader', { name: 'Attempts' }).boundingBox(),
  ])
  expect((last?.x ?? 0) + (last?.width ?? 0)).toBeCloseTo((table?.x ?? 0) + (table?.width ?? 0), -1)
  await reader.context().close()
})
