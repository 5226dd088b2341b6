/** Follows docs/guides/first-bot.md: from an empty folder to the comment of the bot, on the local GitHub. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { sample } from '../../../src/testing/index.ts'
import { AppCommand, follow, install, register, startProcess, startServer } from '../app/create-scene.ts'
import { installPacked, linkPackages, runIn } from './packed.ts'

test('a new project becomes an App that comments on an issue', async () => {
  const home = mkdtempSync(join(tmpdir(), 'hookserver-first-bot-'))
  onTestFinished(() => rmSync(home, { recursive: true }))
  installPacked(home)
  linkPackages(home, ['octokit'])
  const { code, stderr } = await runIn(home, 'node_modules/.bin/hookserver', 'init', 'bot', '--yes')
  expect([code, stderr]).toEqual([0, ''])

  const github = await startServer()
  github.addRepository('octocat/hello')
  const command = new AppCommand(
    join(home, 'bot'),
    ['create', '--no-browser', '--github', github.webUrl],
    {},
    startProcess,
  )
  const next = await follow(await register(github, await command.address()))
  await command.printed(/Waiting for the installation/)
  await install(next.headers.get('location') ?? '')
  await command.printed(/Waiting for the first delivery/)
  const { repository, ...opened } = sample('issues.opened')
  const own = { name: 'hello', full_name: 'octocat/hello', owner: { ...repository.owner, login: 'octocat' } }
  await github.deliver('issues.opened', { ...opened, repository: { ...repository, ...own } })

  expect((await command.result()).code).toBe(0)
  expect(github.requests.filter(({ path }) => path.endsWith('/comments'))).toMatchObject([
    {
      path: '/api/v3/repos/octocat/hello/issues/1/comments',
      status: 201,
      body: { body: expect.stringMatching(/^Thank you/) },
    },
  ])
}, 120_000)
