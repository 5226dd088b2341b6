import { createServer } from 'node:http'
import create from 'github-webhook-handler'

/** github-webhook-handler with one listener for the push. It supports only SHA-1. */
export default function githubWebhookHandler({ secret, path }) {
  const handler = create({ path, secret })
  handler.on('error', () => {})
  handler.on('push', () => {})
  return createServer((request, response) => handler(request, response, () => response.writeHead(404).end()))
}
