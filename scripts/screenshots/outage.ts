import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { AnyEventName } from 'hookserver'
import { sqlite } from 'hookserver/sqlite'
import type { LocalGitHub, PastDelivery } from 'hookserver/testing'
import { freePort } from '../../test/free-port.ts'
import { Served } from '../served.ts'
import { type About, payloadOf } from './payload.ts'

const minute = 60_000

const [octocat, monalisa, hubot] = ['octocat', 'monalisa', 'hubot']

/** The deliveries that GitHub could not deliver: first the server was down, then the proxy before it answered. */
const missed: readonly (readonly [ago: number, AnyEventName, Omit<About, 'repository'>, 'down' | 502])[] = [
  [52, 'push', { sender: octocat, title: 'Normalize search terms' }, 'down'],
  [50, 'workflow_run.completed', { sender: octocat, title: 'CI', conclusion: 'success' }, 'down'],
  [47, 'issues.opened', { sender: monalisa, number: 126, title: 'The receipt has no date' }, 'down'],
  [44, 'issue_comment.created', { sender: octocat, number: 126, title: 'The receipt has no date' }, 'down'],
  [39, 'pull_request.opened', { sender: hubot, number: 127, title: 'Update hono from 4.12.0 to 4.12.1' }, 502],
  [36, 'issues.opened', { sender: octocat, number: 128, title: 'Sort the cart by price' }, 502],
]

/** The number of deliveries that the server recovers. */
export const missedDeliveries: number = missed.length

/** Starts a server after an outage. It finds the missed deliveries in GitHub's log, and requests them again. */
export async function serveAfterOutage(
  github: LocalGitHub,
  { folder, module, secret }: { folder: string; module: string; secret: string },
): Promise<Served> {
  const repository = 'acme/till' // the webhook of acme/shop is that of the other server
  const port = await freePort() // GitHub's webhook must have the address before the server starts
  const hook = github.addHook({ repository, url: `http://127.0.0.1:${port}/hooks`, secret })
  const now = Date.now()
  const past = missed.map(([ago, event, about, failure]): PastDelivery => {
    const delivery = { event, payload: payloadOf(event, { repository, ...about }), deliveredAt: now - ago * minute }
    return failure === 'down' ? { ...delivery, failure: 'unreachable' } : { ...delivery, statusCode: failure }
  })
  github.record(hook, past)
  await createOldInbox(join(folder, 'hookserver.db'), now - 180 * minute)
  return Served.start(folder, {
    args: [module, '--port', `${port}`, '--api-url', github.url, '--recover', `${repository}#${hook.id}`],
    env: { GITHUB_WEBHOOKS_KEY: secret, HOOKSERVER_GITHUB_TOKEN: github.addToken() },
  })
}

/** Creates an empty inbox that is older than the outage, because recovery ignores what GitHub sent before. */
async function createOldInbox(file: string, createdAt: number): Promise<void> {
  await sqlite(file).close()
  using database = new DatabaseSync(file)
  database.prepare('update inbox_info set created_at = ?').run(createdAt)
}
