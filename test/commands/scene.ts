/** A bot with commands on a real server, the local GitHub that delivers to it, and users who comment. */
import { createServer } from 'node:http'
import { Octokit } from 'octokit'
import { expect, onTestFinished } from 'vitest'
import { hookserver } from '../../src/adapters/node.ts'
import type { Store } from '../../src/inbox/inbox.ts'
import { Hooks, type HooksOptions } from '../../src/index.ts'
import { LocalGitHub } from '../../src/testing/index.ts'
import { listen, stop } from '../adapters/host.ts'
import { eventually, openInbox } from '../inbox/stores.ts'
import { Recorder } from '../recorder.ts'
import { expectDescribed } from '../testing/github/described.ts'
import { addIssue } from '../testing/github/scene.ts'

export const repo = { owner: 'octo', repo: 'hello' }
export const secret = 'a secret of the tests'
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/** `fetch()` that checks that GitHub describes each answer. */
const describedFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, init)
  const text = await response.clone().text()
  const path = new URL(response.url).pathname
  expectDescribed(init?.method ?? 'GET', path, response.status, text === '' ? undefined : JSON.parse(text))
  return response
}

export type Scene = Awaited<ReturnType<typeof startScene>>

/**
 * The repository `octo/hello`, in which mona may write, and `bot`, whose token the commands use.
 * @param register Registers the commands.
 */
export async function startScene(
  register: (hooks: Hooks) => void,
  { stores = false, ...options }: HooksOptions & { stores?: boolean } = {},
) {
  const github = await LocalGitHub.start()
  onTestFinished(() => github.close())
  const logger = new Recorder()
  const inbox = stores ? openInbox() : undefined
  const token = github.addToken({ login: 'bot' })
  const plain = Octokit.defaults({ request: { fetch: describedFetch }, retry: { enabled: false } })
  const given = { secret, validateIp: false, apiUrl: github.url, token, logger, octokit: plain, ...options }
  const hooks = new Hooks({ ...given, ...(inbox && { inbox }) })
  onTestFinished(() => hooks.close({ grace: 0 }))
  register(hooks)
  const server = createServer(hookserver(hooks))
  onTestFinished(() => stop(server))
  const hook = github.addHook({ repository: 'octo/hello', url: `${await listen(server)}/hooks`, secret })
  for (const login of ['mona', 'bot']) github.addCollaborator('octo/hello', login)
  await addIssue(github, 'octo/hello', 7)
  const octokits = new Map<string, Octokit>()
  /** The Octokit of a user. */
  const as = (login: string) => {
    const auth = octokits.has(login) ? '' : github.addToken({ login })
    const made =
      octokits.get(login) ?? new Octokit({ baseUrl: github.url, auth, throttle: { enabled: false }, log: quiet })
    octokits.set(login, made)
    return made.rest
  }
  /** Waits until the bot has handled everything. */
  const handled = async () => {
    await github.idle()
    if (inbox) await eventually(async () => expect(await unfinishedIn(inbox)).toEqual([]))
    await github.idle()
  }
  /** Comments on issue 7, and waits until the bot has handled it. @returns The id of the comment. */
  const comment = async (login: string, body: string, issue_number = 7) => {
    const { data } = await as(login).issues.createComment({ ...repo, issue_number, body })
    await handled()
    return data.id
  }
  /** The replies of the bot on an issue, without the mark that identifies them. */
  const replies = async (issue_number = 7) => {
    const { data } = await as('octocat').issues.listComments({ ...repo, issue_number })
    return data.flatMap(({ user, body = '' }) => (user?.login === 'bot' ? [body.replace(/^<!--.*-->\n\n/, '')] : []))
  }
  /** The reactions to a comment. */
  const reactions = async (comment_id: number) => {
    const { data } = await as('octocat').reactions.listForIssueComment({ ...repo, comment_id })
    return data.map(({ content }) => content)
  }
  return { github, hooks, hook, inbox, logger, as, comment, handled, replies, reactions }
}

async function unfinishedIn(inbox: Store): Promise<string[]> {
  const { deliveries } = await inbox.list({ limit: 500 })
  return deliveries
    .map(({ state }) => state)
    .filter((state) => !['done', 'dead', 'discarded', 'ignored'].includes(state))
}
