import type { AnyEventName } from 'hookserver'
import { signedRequest } from 'hookserver/testing'
import type { Served } from '../served.ts'
import { type About, payloadOf } from './payload.ts'

const [repository, sender] = ['acme/shop', 'octocat']

/** The newest deliveries: one deployment runs, another waits for it. */
const latest: readonly (readonly [AnyEventName, About])[] = [
  ['push', { repository, sender, title: 'Send each receipt once' }],
  ['issue_comment.created', { repository, sender: 'monalisa', number: 124, title: 'Receipts are sent twice' }],
  ['push', { repository, sender: 'hubot', title: 'Update vitest from 5.1.0 to 5.1.1' }],
  [
    'issues.opened',
    { repository: 'acme/website', sender: 'monalisa', number: 85, title: 'The map is not shown on phones' },
  ],
]

/** Sends the newest deliveries. */
export async function sendLatest(served: Served, secret: string): Promise<void> {
  for (const [name, about] of latest) {
    const request = signedRequest(name, { secret, payload: payloadOf(name, about) })
    const answer = await fetch(served.url, request)
    if (answer.status !== 202) throw new Error(`A delivery was answered ${answer.status} ${await answer.text()}`)
  }
}
