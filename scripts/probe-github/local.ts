import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { generate } from 'selfsigned'
import { LocalGitHub } from '../../src/testing/github/local-github.ts'
import type { Target } from './probe.ts'

/** In milliseconds: how long the local GitHub waits for a receiver, and so the duration of a slow attempt. */
const timeout = 2500
const day = 24 * 60 * 60 * 1000

export interface LocalTarget extends AsyncDisposable {
  github: LocalGitHub
  target: Target
}

/** Starts a local GitHub with a repository, and a receiver for each kind of answer. */
export async function startLocal(repository = 'octocat/scratch'): Promise<LocalTarget> {
  const token = 'ghp_local'
  // A probe reads the log more often than GitHub allows in a minute, because it does not wait between its requests.
  const github = await LocalGitHub.start({ token, timeout, limits: { points: 100_000 } })
  github.addRepository(repository, { private: true })
  const receiver = createServer((request, response) => {
    request.resume()
    const [, status] = /^\/status\/(\d+)/.exec(request.url ?? '') ?? []
    if (status !== undefined) response.writeHead(Number(status)).end() // at any other path, it does not answer
  })
  const certificate = await generate([{ name: 'commonName', value: 'self-signed.example' }], { algorithm: 'sha256' })
  const badTls = createTlsServer({ key: certificate.private, cert: certificate.cert })
  const [receiverPort, badTlsPort] = [await listen(receiver), await listen(badTls)]
  const origin = `http://127.0.0.1:${receiverPort}`
  const closedPort = await freePort()
  return {
    github,
    target: {
      ...{ apiUrl: github.url, token, repository, writeInterval: 0, pollInterval: 20 },
      receivers: {
        answering: `${origin}/status/{status}`,
        refusing: `http://127.0.0.1:${closedPort}/`,
        badTls: `https://127.0.0.1:${badTlsPort}/`,
        slow: `${origin}/silent`,
      },
      oldAttempt: recordOldAttempt(github, repository),
    },
    async [Symbol.asyncDispose]() {
      await github.close()
      for (const server of [receiver, badTls]) {
        server.close()
        server.closeAllConnections()
      }
    },
  }
}

/** Records an attempt from before the days that GitHub keeps. */
function recordOldAttempt(github: LocalGitHub, repository: string): { hook: string; delivery: string } {
  const hook = github.addHook({ repository, url: 'https://receiver.example/' })
  const deliveredAt = github.clock.now() - 10 * day
  const [attempt] = github.record(hook, [{ event: 'ping', deliveredAt }])
  return { hook: String(hook.id), delivery: String(attempt?.id) }
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** A port on which no server listens. */
async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listen(server)
  await new Promise((closed) => server.close(closed))
  return port
}
