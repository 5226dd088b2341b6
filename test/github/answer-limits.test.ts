/** An API that sends without end: every request of hookserver itself reads a limited part of the answer. */
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { Octokit } from 'octokit'
import { expect, onTestFinished, test } from 'vitest'
import { convertCode } from '../../src/github/app/conversion.ts'
import { readAppDetails, setWebhookSecret } from '../../src/github/app/details.ts'
import { DeliveryLog } from '../../src/github/delivery-log.ts'
import { GitHubClient } from '../../src/github/github-client.ts'
import { type Requester, readList } from '../../src/github/requester.ts'
import { listWebhooks } from '../../src/github/webhooks/find-webhooks.ts'
import { WebhooksApi } from '../../src/github/webhooks/webhooks-api.ts'
import type { HooksOptions } from '../../src/index.ts'
import { childLogger, silentLogger } from '../../src/telemetry/logger.ts'
import { addApp, startGitHub } from './bot-scene.ts'

const { signal } = new AbortController()
const target = { repository: 'acme/shop' }
const chunk = ' '.repeat(2 ** 20)

/** An API that answers only the routes of `answers`, and sends spaces without end to all other requests. */
async function startApi(answers: Readonly<Record<string, object>> = {}) {
  const sent = { chunks: 0 }
  const sendSpaces = (response: ServerResponse) => {
    while (!response.destroyed && sent.chunks < 6000) {
      sent.chunks++
      if (!response.write(chunk)) return void response.once('drain', () => sendSpaces(response))
    }
  }
  const server = createServer(({ method, url }, response) => {
    const answer = answers[`${method} ${url}`]
    response.setHeader('content-type', 'application/json')
    if (answer) response.end(JSON.stringify(answer))
    else sendSpaces(response)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return { apiUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sent }
}

/** The plugin of Octokit would repeat a request for seconds. */
const withoutRetries = Octokit.defaults({ retry: { enabled: false } })

async function clientOf(apiUrl: string, options: Pick<HooksOptions, 'octokit'> = {}) {
  const { id, privateKey } = addApp(await startGitHub())
  const credentials = { apiUrl, logger: childLogger(silentLogger), octokit: withoutRetries, ...options }
  return {
    asApp: () => new GitHubClient({ ...credentials, app: { id, privateKey }, token: undefined }),
    withToken: () => new GitHubClient({ ...credentials, app: undefined, token: 'a token' }),
  }
}

type Clients = Awaited<ReturnType<typeof clientOf>>

const byToken = ({ withToken }: Clients): Promise<Requester> => withToken().requesterFor(target)
const byApp = ({ asApp }: Clients): Promise<Requester> => asApp().requesterFor('app')
const api = (github: Requester) => new WebhooksApi({ target, github, signal, retries: [] })
const settings = { address: 'https://example.com/', events: ['push'], active: true, insecure: false } as const

test.each<[name: string, request: (clients: Clients, apiUrl: string) => Promise<unknown>]>([
  ['the webhooks of a repository', async (clients) => listWebhooks(target, await byToken(clients))],
  ['a new webhook', async (clients) => api(await byToken(clients)).create(settings as never, 'a secret')],
  ['a page of the log', async (clients) => new DeliveryLog(await byToken(clients), '/log').newest()],
  ['a delivery', async (clients) => new DeliveryLog(await byToken(clients), '/log').read('1')],
  ['a redelivery', async (clients) => new DeliveryLog(await byToken(clients), '/log').redeliver('1')],
  ['the App', async (clients) => readAppDetails(await byApp(clients))],
  ['the secret of the App', async (clients) => setWebhookSecret(await byApp(clients), 'a secret')],
  ['the installation in a repository', async ({ asApp }) => listWebhooks(target, await asApp().requesterFor(target))],
  ['the installations', async ({ asApp }) => asApp().listInstallations().next()],
  ['a code', (_clients, apiUrl) => convertCode('a-code', { apiUrl, signal, retries: [1, 1] })],
])('for %s', async (_name, request) => {
  const { apiUrl, sent } = await startApi()
  await expect(request(await clientOf(apiUrl), apiUrl)).rejects.toThrow(/The answer is larger than \d+ MiB/)
  expect(sent.chunks).toBeLessThan(100)
})

test('for all pages of a list', async () => {
  const page = `[${Array(100).fill('{}').join()}]`.padEnd(4 * 2 ** 20)
  let pages = 0
  const github = { request: async () => ({ headers: {}, text: pages++ < 1000 ? page : '[]' }) }
  await expect(readList(github, '/list')).rejects.toThrow("GitHub's answers to GET /list have more than 256 MiB")
  expect(pages).toBe(65)
})

test('for the token of an installation', async () => {
  const { apiUrl, sent } = await startApi({ 'GET /repos/acme/shop/installation': { id: 5 } })
  const { asApp } = await clientOf(apiUrl)
  await expect(
    asApp()
      .requesterFor(target)
      .then((github) => listWebhooks(target, github)),
  ).rejects.toThrow('The answer is larger than 4 MiB')
  expect(sent.chunks).toBeLessThan(100)
})

test('with a replacement of fetch() whose bodies are streams of Node.js', async () => {
  let chunks = 0
  const endless = function* () {
    while (chunks++ < 6000) yield Buffer.from(chunk)
  }
  const fetch = async () => {
    const body = Readable.from(endless(), { objectMode: false })
    return Object.defineProperty(new Response('not this one'), 'body', { value: body })
  }
  const { withToken } = await clientOf('http://127.0.0.1:1', { octokit: Octokit.defaults({ request: { fetch } }) })
  await expect(listWebhooks(target, await withToken().requesterFor(target))).rejects.toThrow(
    'The answer is larger than 4 MiB',
  )
  expect(chunks).toBeLessThan(100)
})
