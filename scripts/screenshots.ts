/**
 * `npm run screenshots`: takes the screenshots of the dashboard for README.md and the guides, with Chromium, from a server
 * whose inbox contains an invented history of a shop's repositories, from a server after an outage, and from a new server.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LocalGitHub } from 'hookserver/testing'
import { sendLatest } from './screenshots/latest.ts'
import { serveAfterOutage } from './screenshots/outage.ts'
import { createInbox } from './screenshots/past.ts'
import { takePictures } from './screenshots/pictures.ts'
import { Served } from './served.ts'

const secret = "It's a Secret to Everybody"
const images = join(import.meta.dirname, '..', 'docs', 'images')

const newFolder = () => mkdtempSync(join(tmpdir(), 'hookserver-screenshots-'))
const [folder, outageFolder, newServerFolder] = [newFolder(), newFolder(), newFolder()]
const moduleOf = (name: string) => join(import.meta.dirname, 'screenshots', name)
const github = await LocalGitHub.start({ hooks: ['127.0.0.0/8'] })
try {
  const past = await createInbox(join(folder, 'hookserver.db'), Date.now())
  const events = ['issue_comment', 'issues', 'pull_request', 'push', 'release', 'workflow_run']
  const hook = github.addHook({ repository: 'acme/shop', url: 'https://hooks.acme.example/hooks', secret, events })
  github.record(hook, past)
  const module = moduleOf('hooks.ts')
  const served = await Served.start(folder, {
    args: [module, '--api-url', github.url, '--recover', 'acme/shop', '--grace', '100ms'],
    env: { GITHUB_WEBHOOKS_KEY: secret, HOOKSERVER_GITHUB_TOKEN: github.addToken() },
  })
  const outage = await serveAfterOutage(github, { folder: outageFolder, module, secret })
  const newServer = await Served.start(newServerFolder, {
    args: [moduleOf('first-webhook.ts'), '--api-url', github.url],
    env: { GITHUB_WEBHOOKS_KEY: secret },
  })
  try {
    await sendLatest(served, secret)
    await takePictures({ served, outage, newServer, secret }, images)
  } finally {
    await Promise.all([served, outage, newServer].map((server) => server.stop()))
  }
} finally {
  await github.close()
  for (const one of [folder, outageFolder, newServerFolder]) rmSync(one, { recursive: true })
}
