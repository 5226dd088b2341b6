import { createServer } from 'node:http'
import express from 'express'
import GithubWebhook from 'express-github-webhook'

/** express-github-webhook after express.json(), as it requires. It supports only SHA-1. */
export default function expressGithubWebhook({ secret, path }) {
  const handler = GithubWebhook({ path, secret })
  handler.on('error', () => {})
  handler.on('push', () => {})
  return createServer(
    express()
      .use(express.json({ limit: '25mb' }))
      .use(handler),
  )
}
