/** Every application must reply `pong` to a ping and `3 commits` to a push. Its page, if it has one, says `hello`. */
import assert from 'node:assert/strict'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { sample, signedRequest, type TestRequest } from '../../src/testing/index.ts'
import { secret } from './application.ts'
import { type Platform, type Size, sizes } from './platforms.ts'

interface Answer {
  /** 0 if there was no answer. */
  status: number
  body: string
}

/** Milliseconds for one answer. */
const answerTimeout = 60_000

/** @throws {Error} for the first answer that is wrong. */
export async function checkDeliveries(platform: Platform, origin: string): Promise<void> {
  const send = (delivery: TestRequest, from?: Sender) => deliver(platform, origin, delivery, from)
  const ping = () => signedRequest('ping', { secret })

  expectAnswer('a signed ping', await send(ping()), 200, /^pong$/)
  const form = await send(signedRequest('ping', { secret, form: true }))
  if (platform.rejectsForms) expectAnswer('a form', form, 403, /^Cross-site POST form submissions are forbidden$/)
  else expectAnswer('a signed form', form, 200, /^pong$/)
  const signedByOther = signedRequest('ping', { secret: 'another secret' })
  expectAnswer('a wrong signature', await send(signedByOther), 400, /Wrong signature/)
  expectAnswer('another sender', await send(ping(), 'stranger'), 403, /Requests must originate from GitHub/)
}

export interface Limit {
  largest: Size | undefined
  /** The answer to the next larger body. Empty if `largest` is the last of the `sizes`. */
  above: string
}

/** @throws {Error} if hookserver does not leave the other paths to the application. */
export async function checkOtherPath(origin: string): Promise<void> {
  const response = await fetch(origin, { signal: AbortSignal.timeout(answerTimeout) })
  expectAnswer('another path', { status: response.status, body: await response.text() }, 200, /\bhello\b/)
}

/** Finds the largest body that reaches the handler. */
export async function findLimit(platform: Platform, origin: string): Promise<Limit> {
  let largest: Size | undefined
  for (const size of sizes) {
    const { status, body } = await deliver(platform, origin, push(size))
    if (status !== 200 || body !== '3 commits') return { largest, above: describe({ status, body }) }
    largest = size
  }
  return { largest, above: '' }
}

/** A push with a body of exactly `size` MiB. */
function push(size: Size): TestRequest {
  const [commit] = sample('push').commits
  const commits = [commit, commit, commit]
  const payload = (padding: string) => JSON.stringify({ ...sample('push'), commits, padding })
  return signedRequest('push', { secret, payload: payload('x'.repeat(size * 2 ** 20 - payload('').length)) })
}

/**
 * `github` is in the ranges of the application. `stranger` is not, and forges headers. Its address, 127.0.0.2, needs no
 * configuration on Linux.
 */
type Sender = 'github' | 'stranger'

export async function deliver(
  { path = '/hooks', addressHeader }: Pick<Platform, 'path' | 'addressHeader'>,
  origin: string,
  { method, headers, body }: TestRequest,
  from: Sender = 'github',
): Promise<Answer> {
  const forged = from === 'stranger' ? { 'x-forwarded-for': '127.0.0.1', 'x-real-ip': '127.0.0.1' } : {}
  const reported = addressHeader ? { [addressHeader]: from === 'github' ? '127.0.0.1' : '192.0.2.1' } : {}
  const client = request(`${origin}${path}`, {
    ...{ method, agent: false, timeout: answerTimeout, localAddress: from === 'github' ? '127.0.0.1' : '127.0.0.2' },
    headers: { ...headers, 'content-length': Buffer.byteLength(body), ...forged, ...reported },
  })
  // A server that rejects a body early closes the connection, so writing can fail although there is an answer.
  const answered = new Promise<Answer>((resolve) => {
    let response: IncomingMessage | undefined
    client.once('response', async (received: IncomingMessage) => {
      response = received
      resolve({ status: received.statusCode ?? 0, body: await text(received).catch(() => '') })
    })
    client.once('timeout', () => client.destroy())
    client.once('close', () => response ?? resolve({ status: 0, body: 'no answer' }))
    client.on('error', () => {})
  })
  client.end(body)
  return answered
}

function expectAnswer(what: string, answer: Answer, status: number, body: RegExp): void {
  const right = answer.status === status && body.test(answer.body)
  assert.ok(right, `${what}: expected ${status} and ${body}, got ${describe(answer)}`)
}

function describe({ status, body }: Answer): string {
  return `${status} ${body.slice(0, 200).replaceAll(/\s+/g, ' ')}`
}
