/** The screen of webhooks and the App in a browser, with a server that recovers. */
import { expect, onTestFinished, test } from 'vitest'
import { diagnostics } from '../../src/telemetry/diagnostics.ts'
import { LocalGitHub } from '../../src/testing/index.ts'
import { eventually } from '../inbox/stores.ts'
import { openScene } from './scene.ts'

test('shows a webhook as GitHub sees it, its problems first, and finds its deliveries', async () => {
  const github = await LocalGitHub.start({ token: 'a-token' })
  onTestFinished(() => github.close())
  const hook = github.addHook({ repository: 'acme/shop', url: 'https://hooks.example/hooks', active: false })
  github.record(hook, [{ event: 'issues.opened', guid: 'the-guid', statusCode: 502 }])
  const flags = { recover: 'acme/shop', githubToken: 'a-token', apiUrl: github.url }
  const scene = await openScene(undefined, flags, onTestFinished)
  await eventually(async () => expect((await scene.ask('recovery')).last?.reports).toHaveLength(1))
  const page = await scene.open('#/github')
  const missed = page.getByRole('region', { name: 'Missed deliveries per hour' })
  await missed.getByRole('img', { name: /missed: peak of 1 at .+; received later: none; expired: none/ }).waitFor()
  await page.getByText('The last recovery sweep was now.').waitFor()
  const card = page.getByRole('region', { name: `Webhook acme/shop#${hook.id}` })
  await card.getByRole('definition').filter({ hasText: 'https://hooks.example/hooks' }).waitFor()
  const findings = await card.getByRole('listitem').allTextContents()
  expect(findings.slice(0, 2)).toEqual([
    expect.stringMatching(/^Problem: active.+What to do: npx hookserver webhooks ensure acme\/shop#\d+ /),
    expect.stringMatching(/^Problem: secret.+GitHub does not sign/),
  ])
  expect(await page.title()).toBe('GitHub - hookserver')
  const row = card.getByRole('row').filter({ hasText: 'Invalid HTTP Response: 502' }) // the server requests the delivery again
  expect(await row.textContent()).toContain('issues.opened')
  await row.getByRole('link', { name: 'Find the delivery the-guid' }).click()
  await expect.poll(() => page.getByRole('combobox', { name: 'Search deliveries' }).inputValue()).toBe('guid:the-guid')
})

test('shows how many requests GitHub allows a caller', async () => {
  const scene = await openScene(undefined, {}, onTestFinished)
  const limit = { resource: 'core', limit: 5000, remaining: 1200, resetAt: Date.now() + 3_600_000 }
  diagnostics.rateLimit?.publish({ ...limit, caller: 'installation 7' })
  const page = await scene.open('#/github')
  const cells = page.getByRole('table', { name: 'Rate limits' }).getByRole('row').nth(1).getByRole('cell')
  await cells.first().waitFor()
  expect(await cells.allTextContents()).toEqual([
    'installation 7',
    'core',
    '5,000',
    '3,800',
    '1,200',
    expect.any(String),
  ])
})

test('says how to see webhooks if the server has none to ask about', async () => {
  const scene = await openScene(undefined, {}, onTestFinished)
  const page = await scene.open('#/github')
  await page.getByRole('heading', { name: 'The server asks GitHub nothing' }).waitFor()
  await Promise.all([page.waitForResponse('**/api/v1/recovery'), page.reload()])
  await page.getByRole('heading', { name: 'The server asks GitHub nothing' }).waitFor()
  expect(await page.getByText('Missed deliveries').count()).toBe(0)
})
