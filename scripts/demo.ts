/**
 * `npm run demo`: a real server, and all sample payloads sent to it over HTTP, signed as GitHub signs them and from
 * addresses that a local GitHub lists. Ends with 1 if one of them is not handled.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/node'
import { LocalGitHub, samples, signedRequest } from 'hookserver/testing'

const secret = "It's a Secret to Everybody"
const github = await LocalGitHub.start({ hooks: ['127.0.0.0/8'] })
const hooks = new Hooks({ secret, apiUrl: github.url, logger: false }) // what fails is in the table

hooks.hook('ping', ({ zen }) => `pong: ${zen}`)
hooks.hook('push', ({ ref, commits }) => ({ ref, commits: commits.length }))
hooks.hook('issues.opened', ({ issue }) => `#${issue.number} ${issue.title}`)
hooks.hook('pull_request', ({ action, number }) => `pull request ${number} ${action}`)
hooks.hook('star', () => undefined)
hooks.hook('*', (_data, _guid, { event, action, repository }) => [event, action, repository].filter(Boolean).join(' '))
let handled = 0
hooks.on('*', () => {
  handled++
})

interface Row {
  count: number
  reply: string
  ms: number
}

const server = createServer(hookserver(hooks)).listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`
const deliveries = samples()
const rows = new Map<string, Row>()
const failures: string[] = []

console.log(`hookserver listens at ${url}; ${deliveries.length} deliveries are on their way, each signed\n`)
for (const [index, { event, payload }] of deliveries.entries()) {
  progress(index + 1, deliveries.length, event)
  const started = performance.now()
  const answer = await fetch(url, signedRequest(event, { secret, payload }))
  const reply = `${answer.status} ${await answer.text()}`.trim()
  const row = rows.get(event) ?? { count: 0, reply, ms: 0 }
  rows.set(event, { count: row.count + 1, reply: row.reply, ms: row.ms + performance.now() - started })
  if (!answer.ok) failures.push(`${event}: ${reply}`)
}
await expectRefused('an unsigned delivery', {}, 400)
await expectRefused('a wrong signature', { secret: 'another' }, 400)

await hooks.close()
server.close()
server.closeAllConnections()
await github.close()

printTable()
if (handled !== deliveries.length) failures.push(`${handled} of ${deliveries.length} deliveries were handled`)
for (const failure of failures) console.error(`FAILED  ${failure}`)
console.log(`\n${handled} of ${deliveries.length} deliveries handled, 2 forgeries refused, ${failures.length} failures`)
process.exitCode = failures.length > 0 ? 1 : 0

async function expectRefused(what: string, options: { secret?: string }, status: number): Promise<void> {
  const answer = await fetch(url, signedRequest('ping', options))
  if (answer.status !== status) failures.push(`${what} was answered ${answer.status}`)
}

/** One line that is written over, on a terminal. */
function progress(done: number, all: number, event: string): void {
  if (!process.stdout.isTTY) return
  const width = 30
  const bar = '█'.repeat(Math.round((width * done) / all)).padEnd(width, '░')
  const end = done === all ? '\r\x1b[K' : ''
  process.stdout.write(`\r${bar} ${done}/${all} ${event}\x1b[K${end}`)
}

function printTable(): void {
  const width = Math.max(40, (process.stdout.columns ?? 100) - 45)
  console.log(`${'event'.padEnd(30)} ${'count'.padStart(5)} ${'ms'.padStart(6)}  first reply`)
  for (const [event, { count, reply, ms }] of rows) {
    const short = reply.length > width ? `${reply.slice(0, width - 1)}…` : reply
    console.log(`${event.padEnd(30)} ${String(count).padStart(5)} ${(ms / count).toFixed(1).padStart(6)}  ${short}`)
  }
}
