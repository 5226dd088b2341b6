/** A local GitHub, clients that check its answers against GitHub's OpenAPI description, and a real receiver. */
import { createServer } from 'node:http'
import { App, Octokit } from 'octokit'
import { onTestFinished } from 'vitest'
import { hookserver } from '../../../src/adapters/node.ts'
import { type Delivery, Hooks } from '../../../src/index.ts'
import { timestamp } from '../../../src/testing/github/clock.ts'
import { type LocalApp, LocalGitHub, type LocalGitHubOptions } from '../../../src/testing/index.ts'
import { listen, stop } from '../../adapters/host.ts'
import { expectDescribed } from './described.ts'

export const secret = 'a secret'

/** The SHA of a commit. */
export const sha = 'd670460b4b4aece5915caf5c68d12f560a9fe3e4'

export async function start(options?: LocalGitHubOptions): Promise<LocalGitHub> {
  const github = await LocalGitHub.start(options)
  onTestFinished(() => github.close())
  return github
}

/** The time of the local GitHub in milliseconds since 1970, without the part of a second that GitHub does not show. */
export const secondAt = (github: LocalGitHub): number => Date.parse(timestamp(github.clock.now()))

/** `fetch()` that checks the answer against GitHub's OpenAPI description. */
export const describedFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, init)
  const text = await response.clone().text()
  const path = new URL(response.url).pathname.replace(/^\/api\/v3/, '')
  expectDescribed(init?.method ?? 'GET', path, response.status, text === '' ? undefined : JSON.parse(text))
  return response
}

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/** An Octokit that neither waits nor retries. */
const octokitOptions = ({ url }: LocalGitHub) => ({
  ...{ baseUrl: url, request: { fetch: describedFetch } },
  ...{ throttle: { enabled: false }, retry: { enabled: false }, log: quiet },
})

export const octokitFor = (github: LocalGitHub, token: string) =>
  new Octokit({ ...octokitOptions(github), auth: token })

export const botFor = (github: LocalGitHub, { id, privateKey }: LocalApp) =>
  new App({ appId: id, privateKey, Octokit: Octokit.defaults(octokitOptions(github)), log: quiet })

/** Creates an issue, as a delivery about it does. */
export async function addIssue(github: LocalGitHub, repository: string, number: number) {
  const issue = { number, title: `Issue ${number}` }
  await github.deliver('issues.opened', { repository: { full_name: repository }, issue }, { hooks: [] })
}

/** Creates a branch at the head of `main`. */
export async function createBranch(rest: Octokit['rest'], repository: { owner: string; repo: string }, branch: string) {
  const { data } = await rest.git.getRef({ ...repository, ref: 'heads/main' })
  await rest.git.createRef({ ...repository, ref: `refs/heads/${branch}`, sha: data.object.sha })
}

export interface RequestSpec {
  token?: string | undefined
  body?: unknown
  headers?: Record<string, string>
}

/** Parses JSON as Octokit does: an integer that a number cannot hold becomes a BigInt. */
function parse(text: string) {
  const exact = (_name: string, value: unknown, { source }: { source: string }) =>
    /^-?\d+$/.test(source) && !Number.isSafeInteger(value) ? BigInt(source) : value
  return JSON.parse(text, exact as (name: string, value: unknown) => unknown)
}

/** Sends a request by its method and path, as in `GET /meta`. */
export async function ask({ url }: LocalGitHub, what: string, { token, body, headers }: RequestSpec = {}) {
  const [method = '', path = ''] = what.split(' ')
  const response = await describedFetch(path.startsWith('http') ? path : url + path, {
    method,
    headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, json: text === '' ? undefined : parse(text), text }
}

/** A hookserver on Node.js that accepts deliveries signed with `secret`. `fail` makes its next replies 500. */
export async function startReceiver() {
  const deliveries: Delivery[] = []
  let failing = 0
  const hooks = new Hooks({ secret, validateIp: false, logger: false })
  hooks.hook('*', (_data, _guid, delivery) => {
    if (failing-- > 0) throw new Error('as planned')
    deliveries.push(delivery)
    return 'taken'
  })
  const server = createServer(hookserver(hooks))
  const url = `${await listen(server)}/hooks`
  onTestFinished(() => stop(server))
  return { url, deliveries, fail: (times: number) => (failing = times) }
}

/** A server that records the headers and the body of each request, and answers with `status`, or never if it is 0. */
export async function startPlain(status: number, headers: Record<string, string> = {}) {
  const got: { headers: NodeJS.Dict<string | string[]>; rawHeaders: string[]; body: string }[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    got.push({ headers: request.headers, rawHeaders: request.rawHeaders, body })
    if (status > 0) response.writeHead(status, headers).end('an answer')
  })
  onTestFinished(() => stop(server))
  return { url: await listen(server), got, server }
}
