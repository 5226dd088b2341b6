/** The pages of the local GitHub in a real browser, from a new App to the delivery of an issue. */
import type { Page } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'
import { startCreateProcess } from '../cli/app/create-scene.ts'
import { start, startPlain } from '../testing/github/scene.ts'
import { sharedBrowser } from './chromium.ts'

const browser = await sharedBrowser()

/** A page, and the problems that the browser reports, such as violations of a policy. */
async function openPage(width = 1280): Promise<{ page: Page; problems: string[] }> {
  const context = await browser.newContext({ viewport: { width, height: 800 } })
  onTestFinished(() => context.close())
  const page = await context.newPage()
  const problems: string[] = []
  page.on('console', (message) => void (message.type() === 'error' && problems.push(message.text())))
  return { page, problems }
}

test('an App gets the deliveries of what its user does on the pages', async () => {
  const [github, receiver] = [await start(), await startPlain(200)]
  github.addOrganization('acme')
  github.addRepository('acme/shop', { files: { 'README.md': '# shop' } })
  const flags = ['--name', 'Hello Bot', '--org', 'acme', '--public-url', `${receiver.url}/hooks`, '--no-serve']
  const command = startCreateProcess(github, flags)
  const { page, problems } = await openPage()

  await page.goto(await command.address())
  await page.getByRole('button', { name: 'Continue to GitHub' }).click()
  await page.getByRole('button', { name: 'Create GitHub App for acme' }).click()
  await page.getByRole('button', { name: 'Install' }).click()
  await page.getByText('is installed on the account acme').waitFor()
  expect((await command.result()).code).toBe(0)

  await page.goto(`${github.webUrl}/acme/shop`)
  await page.getByRole('link', { name: 'Issues (0)' }).click()
  await page.getByLabel('Title').fill('<b>Broken</b> & "quoted"')
  await page.getByRole('button', { name: 'Open issue' }).click()
  await page.getByRole('heading', { level: 1, name: '<b>Broken</b> & "quoted" #1' }).waitFor()
  await page.getByLabel('Label').fill('bug')
  await page.getByRole('button', { name: 'Add label' }).click()
  await page.getByRole('button', { name: 'Remove the label bug' }).waitFor()
  await page.getByLabel('Text').fill('Done')
  await page.getByRole('button', { name: 'Comment' }).click()
  await page.getByText('Done').waitFor()
  await page.getByRole('button', { name: 'Close' }).click()
  await page.getByRole('button', { name: 'Reopen' }).waitFor()
  await github.idle()

  await page.getByRole('link', { name: 'Local GitHub' }).click()
  await page.getByRole('link', { name: 'Hello Bot' }).click()
  await page.getByRole('link', { name: 'Deliveries of the webhook' }).click()
  await page.getByRole('link', { name: 'issues.labeled' }).click()
  await page.getByText('an answer').waitFor()
  expect(await page.getByText('"labels": [').count()).toBe(1)
  await page.getByRole('button', { name: 'Redeliver' }).click()
  await page.getByRole('cell', { name: 'Redelivery' }).waitFor()
  expect(problems).toEqual([])
})

test('a pull request is made and merged on a phone', async () => {
  const github = await start()
  github.addRepository('octocat/hello', { files: { 'README.md': '# hello' } })
  const { page, problems } = await openPage(390)
  await page.goto(`${github.webUrl}/octocat/hello`)
  await page.getByLabel('Path').fill('docs/a file.md')
  await page.getByLabel('Content').fill('One\nTwo')
  await page.getByLabel('Branch').fill('feature/one')
  await page.getByRole('button', { name: 'Commit and push' }).click()
  await page.getByRole('link', { name: 'docs/a file.md' }).click()
  expect(await page.locator('pre').textContent()).toBe('One\nTwo')
  await page.getByRole('link', { name: 'Pull requests (0)' }).click()
  await page.getByLabel('Title').fill('Add a file')
  await page.getByRole('button', { name: 'Open pull request' }).click()
  await page.getByText('docs/a file.md (added)').waitFor()
  const width = await page.evaluate('document.documentElement.scrollWidth')
  await page.getByRole('button', { name: 'Merge pull request' }).click()
  await page.getByText('Merged').waitFor()
  await page.getByRole('link', { name: 'Code' }).click()
  expect(await page.getByRole('link', { name: 'docs/a file.md' }).count()).toBe(1)
  expect([width, problems]).toEqual([390, []])
})
