import { createServer } from 'node:http'
import { createNodeMiddleware, Webhooks } from '@octokit/webhooks'

/** @octokit/webhooks with one handler for the push. */
export default function octokit({ secret, path }) {
  const webhooks = new Webhooks({ secret })
  webhooks.on('push', () => {})
  return createServer(createNodeMiddleware(webhooks, { path }))
}
