/**
 * Tests `hookserver app create` with a real browser. The first test covers the whole way, from the form to the first
 * comment of the bot.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Page } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'
import { openingPage } from '../../src/cli/app/pages.ts'
import { type AppCommand, startCreateProcess, startServer } from '../cli/app/create-scene.ts'
import { sharedBrowser } from './chromium.ts'

const browser = await sharedBrowser()

/** A page, and the problems that the browser reports, such as violations of a policy. */
async function openPage(): Promise<{ page: Page; problems: string[] }> {
  const context = await browser.newContext()
  onTestFinished(() => context.close())
  const page = await context.newPage()
  const problems: string[] = []
  page.on('console', (message) => void (message.type() === 'error' && problems.push(message.text())))
  page.on('pageerror', (error) => void problems.push(error.message))
  return { page, problems }
}

const issue = {
  action: 'opened',
  issue: { number: 1, title: 'Hello', user: { login: 'octocat', type: 'User' } },
  repository: { id: 1, name: 'hello', full_name: 'octocat/hello', owner: { login: 'octocat' } },
}

/** Enters the name of the App in the form on loopback, and continues to the page of GitHub. */
async function continueToGitHub(page: Page, command: AppCommand, name: string): Promise<void> {
  await page.goto(await command.address())
  await page.getByLabel('Name').fill(name)
  await page.getByRole('button', { name: 'Continue to GitHub' }).click()
  await page.getByRole('button', { name: 'Create GitHub App for octocat' }).waitFor()
}

test('from the form to a comment of the bot', async () => {
  const github = await startServer()
  github.addRepository('octocat/hello')
  const command = startCreateProcess(github)
  const { page, problems } = await openPage()
  await page.goto(await command.address())
  const level = (permission: string) => page.getByRole('combobox', { name: permission, exact: true })
  expect(await level('issues').inputValue()).toBe('write')
  await page.getByText('Other permissions').click()
  await level('statuses').selectOption('write')
  await page.getByText('Other events').click()
  await page.getByLabel('star (needs metadata)').check()
  await page.getByLabel('Name').fill('Hello Bot')
  await page.getByRole('button', { name: 'Continue to GitHub' }).click()
  await page.getByText('statuses: write').waitFor()
  expect(await page.evaluate('document.referrer')).toBe('')
  await page.getByRole('button', { name: 'Create GitHub App for octocat' }).click()
  await page.getByRole('button', { name: 'Install' }).click()
  await page.getByText('Hello Bot is installed on the account octocat').waitFor()
  await command.printed(/Waiting for the first delivery/)
  await github.deliver('issues.opened', issue)
  const { code, output } = await command.result()
  expect([code, output]).toEqual([0, expect.stringContaining('The App works: Hello Bot')])
  expect(github.requests.filter(({ path }) => path.endsWith('/issues/1/comments'))).toMatchObject([
    { body: { body: 'Thank you!' }, status: 201 },
  ])
  const [app] = github.apps
  expect(app).toMatchObject({ permissions: { issues: 'write', statuses: 'write' }, events: ['issues', 'star'] })
  expect(command.variables()).toHaveProperty('GITHUB_APP_PRIVATE_KEY')
  expect(problems).toEqual([])
})

test('a page that is closed can be opened again, and a name that is taken can be changed', async () => {
  const github = await startServer()
  github.addApp({ id: 9, slug: 'hello-bot' })
  const command = startCreateProcess(github, ['--no-serve'])
  const closed = await openPage()
  await continueToGitHub(closed.page, command, 'Hello Bot')
  await closed.page.close()
  const { page } = await openPage()
  await continueToGitHub(page, command, 'Hello Bot')
  await page.getByRole('button', { name: 'Create GitHub App for octocat' }).click()
  await page.getByText('Name is already in use').waitFor()
  await page.getByLabel('GitHub App name').fill('Hello Bot 2')
  await page.getByRole('button', { name: 'Create GitHub App for octocat' }).click()
  await page.getByRole('heading', { name: 'Install Hello Bot 2' }).waitFor()
  await command.printed(/Created the App Hello Bot 2/)
})

test('with --yes, the file for the browser leads to GitHub immediately', async () => {
  const github = await startServer()
  const command = startCreateProcess(github, ['--yes', '--org', 'acme', '--no-serve'])
  const { page, problems } = await openPage()
  const file = join(command.folder, 'opening.html')
  writeFileSync(file, await openingPage(await command.address()))
  await page.goto(pathToFileURL(file).href)
  await page.getByRole('button', { name: 'Create GitHub App for acme' }).click()
  await page.getByRole('button', { name: 'Install' }).click()
  expect(await command.result()).toMatchObject({ code: 0, output: expect.stringContaining('Installed on acme') })
  expect(problems).toEqual([])
})

test('a page of another site can neither submit the form nor end the registration', async () => {
  const github = await startServer()
  const command = startCreateProcess(github)
  const address = await command.address()
  const { page } = await openPage()
  await page.route('https://attacker.example/', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<form method="post" action="${address}manifest"><input name="name" value="a"><button>Go</button></form>`,
    }),
  )
  await page.goto('https://attacker.example/')
  await page.getByRole('button', { name: 'Go' }).click()
  await page.getByText('Requests from pages of other sites are not allowed').waitFor()
  await page.goto(`${address}registered?code=1&state=guess`)
  await page.getByText('The state is wrong').waitFor()
  const rebound = await fetch(address.replace('127.0.0.1', 'localhost'))
  expect(rebound.status).toBe(403)
  await continueToGitHub(page, command, 'Hello Bot')
  expect(command.variables()).toEqual({})
})
