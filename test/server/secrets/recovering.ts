/** Servers that request missed deliveries, with a token and as an App, and get errors from GitHub. */
import { join } from 'node:path'
import { expect } from 'vitest'
import type { LocalGitHub, LocalHook } from '../../../src/testing/index.ts'
import { openInbox } from '../../inbox/stores.ts'
import { project, ServedProcess } from '../service.ts'
import type { Evidence } from './evidence.ts'
import { keepDeliveries, keepFiles } from './keeping.ts'
import { careless, known } from './known.ts'

const { newSecret, adminToken, githubToken } = known
const rejected = (status: number) => ({ status, body: { message: 'Rejected for the test' } })
/** The address of a webhook before the address of the server is known. */
const nowhere = 'http://127.0.0.1:1/'

export async function recoverByToken(evidence: Evidence, github: LocalGitHub): Promise<void> {
  const hook = github.addHook({ repository: 'acme/shop', url: nowhere, secret: newSecret })
  const args = [careless, '--recover', `acme/shop#${hook.id}`, '--recover-pace', '1ms']
  const events = await recover(evidence, github, { hooks: [hook], args, env: { GITHUB_TOKEN: githubToken } })
  expect(events).toEqual(['push done'])
}

/** Recovers as an App and as its installation, in mode `pull`. The API returns deliveries with their signatures. */
export async function recoverAsApp(evidence: Evidence, github: LocalGitHub): Promise<void> {
  const app = github.addApp({ id: 3, installations: [{ id: 5, repositories: ['acme/shop'] }] })
  const { privateKey } = app
  for (const line of privateKey.split('\n').filter((text) => text.length === 64)) {
    evidence.secret(`a line of the App's key`, line)
  }
  const hooks = [{ app }, { repository: 'acme/shop' }].map((owner) =>
    github.addHook({ ...owner, url: nowhere, secret: newSecret }),
  )
  const args = ['--recover', `app,acme/shop#${hooks[1]?.id}`, '--recover-mode', 'pull']
  const env = { GITHUB_APP_ID: String(app.id), GITHUB_APP_PRIVATE_KEY: privateKey }
  github.failAt(/access_tokens/, rejected(401))
  const events = await recover(evidence, github, { hooks, args, env })
  expect(events).toEqual(['push ignored'])
}

/**
 * Runs a server that sweeps three times. The first two sweeps get errors from GitHub, and the third one succeeds.
 * @returns the events of the recovered deliveries, and the states of these deliveries.
 */
async function recover(
  evidence: Evidence,
  github: LocalGitHub,
  { hooks, args, env }: { hooks: LocalHook[]; args: string[]; env: Record<string, string> },
): Promise<string[]> {
  const folder = project({ secrets: newSecret })
  const settings = ['--secret-file', 'secrets', '--log-level', 'debug', '--api-url', github.url, ...args]
  const before = github.requests.length
  github.failAt(/^GET .*deliveries/, rejected(401))
  const served = new ServedProcess(folder, settings, { HOOKSERVER_ADMIN_TOKEN: adminToken, ...env })
  await served.line('Recovery of deliveries of')
  const admin = await served.adminUrl()
  const ask = async (path: string, method = 'GET') => {
    const { status, text } = await evidence.ask(`${admin}${path}`, {
      method,
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    })
    expect([path, status]).toEqual([path, 200])
    return text
  }
  for (const hook of hooks) {
    hook.url = await served.url()
    github.record(hook, Array(3).fill({ event: 'push', statusCode: 502 }))
  }
  // The requests for one delivery: to redeliver it, or to read it.
  github.failAt(/^(POST .*attempts|GET .*deliveries\/\d+)$/, rejected(500), rejected(403))
  github.failAt(/^GET .*deliveries\?/, rejected(500))
  expect(await ask('/api/v1/recovery/sweeps', 'POST')).toContain('GitHub rejected the request (403)')
  expect(await ask('/api/v1/recovery/sweeps', 'POST')).not.toContain('error')
  await github.idle()
  for (const path of ['/api/v1/recovery', '/metrics', '/api/v1/stats', '/api/v1/deliveries']) await ask(path)
  const left = async () => {
    const { pending, running, retrying } = JSON.parse(await ask('/api/v1/stats')).states
    return pending + running + retrying
  }
  await expect.poll(left).toBe(0)
  served.child.kill('SIGTERM')
  expect(await served.ended).toBe(0)

  evidence.keep(`the output of a recovery of ${args.at(-1)}`, served.output)
  keepFiles(evidence, folder, 'after the recovery')
  const shown = new Set(github.requests.slice(before).map(({ headers }) => headers.authorization as string | undefined))
  shown.delete(undefined) // the request for the ranges has no credentials
  for (const one of shown) evidence.secret(`${one} to GitHub`, `${one}`.replace(/^(bearer|token) /i, ''))
  for (const { request } of hooks.flatMap((hook) => github.deliveries(hook))) {
    for (const name of ['X-Hub-Signature', 'X-Hub-Signature-256']) {
      evidence.secret(`${name} of a missed delivery`, request.headers[name]?.split('=')[1] ?? name)
    }
  }
  return (await keepDeliveries(evidence, openInbox(join(folder, 'hookserver.db')))).events
}
