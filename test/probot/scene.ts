/** Probot apps on real servers, and doubles of GitHub. */
import { generateKeyPairSync } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import { onTestFinished } from 'vitest'
import { sign } from '../../src/index.ts'
import { type Options, Probot } from '../../src/probot/index.ts'
import { sample } from '../../src/samples/index.ts'
import { listen, stop } from '../adapters/host.ts'
import { Recorder } from '../recorder.ts'

export const secret = 'a secret of the tests'

export const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
})

/** A request of an app to GitHub. */
export interface Sent {
  route: string
  headers: Record<string, string>
}

type Answers = Readonly<Record<string, Response | unknown>>

/** A `fetch` that answers by `METHOD /path`, and otherwise with 404. Objects become JSON, texts stay texts. */
export function fakeGitHub(answers: Answers = {}) {
  const sent: Sent[] = []
  const fetch = async (address: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(address instanceof Request ? address.url : address)
    const route = `${init.method ?? 'GET'} ${decodeURIComponent(url.pathname)}`
    sent.push({ route, headers: init.headers as Record<string, string> })
    if (!Object.hasOwn(answers, route)) return Response.json({ message: 'Not Found' }, { status: 404 })
    const answer = answers[route]
    if (answer instanceof Response) return answer.clone()
    if (typeof answer !== 'string') return Response.json(answer)
    return new Response(answer, { headers: { 'content-type': 'text/plain' } })
  }
  return { sent, fetch, routes: () => sent.map(({ route }) => route) }
}

/** An app with a token, and a recorder of its log. */
export function createApp(options: Options = {}) {
  const recorder = new Recorder()
  const app = new Probot({ githubToken: 'token', secret, log: recordedLog(recorder), ...options })
  return { app, recorder }
}

/** A logger with pino's interface that records. */
export function recordedLog(recorder: Recorder, fields: object = {}): NonNullable<Options['log']> {
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (...[first, text]: unknown[]) => {
      const own = typeof first === 'object' ? (first as object) : {}
      recorder[level]({ ...fields, ...own }, String(text ?? first))
    }
  const [debug, info, warn, error] = [write('debug'), write('info'), write('warn'), write('error')]
  const child = (more: object) => recordedLog(recorder, { ...fields, ...more })
  return { level: 'debug', trace: debug, debug, info, warn, error, fatal: error, child }
}

/** A delivery of a sample payload. */
export const eventOf = (name: string, id = 'guid-1') => ({
  id,
  name: name.split('.')[0] as string,
  payload: sample(name) as Record<string, unknown>,
})

/** Starts a server. @returns its URL. */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  onTestFinished(() => stop(server))
  return listen(server)
}

/** Sends a signed delivery. */
export async function send(
  url: string,
  event = 'push',
  guid = 'guid-1',
  signedWith = secret,
): Promise<{ status: number; text: string }> {
  const body = JSON.stringify(sample(event))
  const headers = {
    'content-type': 'application/json',
    'x-github-event': event.split('.')[0] as string,
    'x-github-delivery': guid,
    'x-hub-signature-256': await sign(signedWith, body),
  }
  const response = await fetch(url, { method: 'POST', body, headers })
  return { status: response.status, text: await response.text() }
}
