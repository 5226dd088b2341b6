/** A bot on a real server with an inbox, and the local GitHub that delivers to it. */
import { createServer } from 'node:http'
import { expect, onTestFinished } from 'vitest'
import { hookserver } from '../../src/adapters/node.ts'
import type { Store } from '../../src/inbox/inbox.ts'
import type { AttemptDetail } from '../../src/inbox/records.ts'
import { type Delivery, type HandlerOptions, Hooks, type HooksOptions } from '../../src/index.ts'
import { type LocalApp, LocalGitHub, type LocalGitHubOptions } from '../../src/testing/index.ts'
import { listen, stop } from '../adapters/host.ts'
import { eventually, openInbox, taskIn } from '../inbox/stores.ts'
import { Recorder } from '../recorder.ts'

export const secret = 'a secret of the tests'

export async function startGitHub(options?: LocalGitHubOptions): Promise<LocalGitHub> {
  const github = await LocalGitHub.start(options)
  onTestFinished(() => github.close())
  return github
}

/** An App with two installations. */
export function addApp(github: LocalGitHub): LocalApp {
  const installations = [
    { id: 5, repositories: ['Codertocat/Hello-World'] }, // the repository of the samples
    { id: 6, repositories: ['octo/other'] },
  ]
  return github.addApp({ id: 3, slug: 'hello-bot', installations })
}

/**
 * Runs `work` for every delivery, in the handler `bot` of an inbox. Deliveries of `issue_comment` run nothing: the local
 * GitHub sends one for each comment, so a bot that comments would never end.
 */
export async function startBot(options: HooksOptions, work: (delivery: Delivery) => unknown, handler?: HandlerOptions) {
  const [inbox, logger] = [openInbox(), new Recorder()]
  const hooks = new Hooks({ secret, validateIp: false, logger, inbox, ...options })
  onTestFinished(() => hooks.close({ grace: 0 }))
  hooks.on('*', { name: 'bot', ...handler }, (delivery) =>
    delivery.event === 'issue_comment' ? undefined : work(delivery),
  )
  const server = createServer(hookserver(hooks))
  const url = `${await listen(server)}/hooks`
  onTestFinished(() => stop(server))
  return { url, inbox, logger, hooks }
}

/** The ended attempts of a delivery, as soon as there are `count`. */
export async function attemptsFor(inbox: Store, id = 1, count = 1): Promise<readonly AttemptDetail[]> {
  const attempts = async () => (await taskIn(inbox, id, 'bot')).attempts.filter(({ outcome }) => outcome !== 'running')
  await eventually(async () => expect((await attempts()).length).toBe(count))
  return attempts()
}

/** The requests to the API in order, as `POST /path 201`. */
export const requestsTo = ({ requests }: LocalGitHub): string[] =>
  requests.map(({ method, path, status }) => `${method} ${path} ${status}`)

/** The issue of a delivery, as parameters for Octokit. */
export function issueOf({ payload, repository = '' }: Delivery) {
  const [owner = '', repo = ''] = repository.split('/')
  return { owner, repo, issue_number: (payload as { issue: { number: number } }).issue.number }
}
