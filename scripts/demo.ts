/**
 * `npm run demo`: a real server with an inbox, and all sample payloads sent to it over HTTP, signed as GitHub signs them
 * and from addresses that a local GitHub lists. Each is stored before it is answered; then handlers run, and some of
 * them fail on purpose. Ends with 1 if a delivery does not come to the end that it should.
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DeliverySummary, Discard, Hooks, type Inbox } from 'hookserver'
import { hookserver } from 'hookserver/node'
import { sqlite } from 'hookserver/sqlite'
import { LocalGitHub, samples, signedRequest } from 'hookserver/testing'

const secret = "It's a Secret to Everybody"
const folder = mkdtempSync(join(tmpdir(), 'hookserver-demo-'))
const inbox = sqlite(join(folder, 'hookserver.db'))
const github = await LocalGitHub.start({ hooks: ['127.0.0.0/8'] })
const hooks = new Hooks({ secret, apiUrl: github.url, inbox, logger: false }) // what fails is in the table

hooks.hook('push', ({ ref, commits }) => ({ ref, commits: commits.length }))
hooks.hook('issues.opened', ({ issue }) => `#${issue.number} ${issue.title}`)
hooks.hook(
  'star',
  (_data, _guid, { attempt }) => {
    if (attempt < 3) throw new Error('The service that counts stars is down')
    return `counted with attempt ${attempt}`
  },
  { backoff: 50 },
)
hooks.hook('deployment_review', () => Promise.reject(new Error('The cluster is gone')), { attempts: 4, backoff: 20 })
hooks.hook('fork', () => {
  throw new Discard('Forks are none of our business')
})
const seen = new Set<string>()
hooks.on('*', (_data, guid) => void seen.add(guid), { name: 'count', order: 'repository' })

const server = createServer(hookserver(hooks)).listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`
const deliveries = samples()
const failures: string[] = []
let accepted = 0

console.log(`hookserver listens at ${url}; ${deliveries.length} deliveries are on their way, each signed`)
for (const [index, { event, payload }] of deliveries.entries()) {
  progress(index + 1, deliveries.length, event)
  const answer = await fetch(url, signedRequest(event, { secret, payload }))
  const text = await answer.text()
  if (answer.status === 202) accepted++
  else failures.push(`${event} was answered ${answer.status} ${text}`)
}
const again = signedRequest('ping', { secret })
await expectAnswer('a delivery', again, 202)
await expectAnswer('a copy of it', again, 200)
await expectAnswer('an unsigned delivery', signedRequest('ping', {}), 400)
await expectAnswer('a wrong signature', signedRequest('ping', { secret: 'another' }), 400)
console.log(`${accepted} stored and answered 202 Accepted, a copy answered 200 Duplicate, 2 forgeries refused`)

const { states } = await allEnded(inbox)
await printTable(inbox)
await printDead(inbox)
await hooks.close()
server.close()
server.closeAllConnections()
await github.close()
rmSync(folder, { recursive: true })

if (states.dead !== 1) failures.push(`one delivery should have ended dead, and ${states.dead} have`)
if (seen.size !== accepted + 1) failures.push(`${seen.size} of ${accepted + 1} deliveries were handled`)
for (const failure of failures) console.error(`FAILED  ${failure}`)
const counts = Object.entries(states).flatMap(([state, count]) => (count > 0 ? [`${count} ${state}`] : []))
console.log(
  `\n${accepted + 1} deliveries stored, ${seen.size} handled: ${counts.join(', ')}; ${failures.length} failures`,
)
process.exitCode = failures.length > 0 ? 1 : 0

async function expectAnswer(what: string, request: RequestInit, status: number): Promise<void> {
  const answer = await fetch(url, request)
  if (answer.status !== status) failures.push(`${what} was answered ${answer.status}`)
}

/** Waits until nothing is left to do. */
async function allEnded(inbox: Inbox) {
  for (;;) {
    const tally = await inbox.tally()
    const { pending, running, waiting } = tally.states
    const left = pending + running + waiting
    progress(accepted - left, accepted, left > 0 ? `${waiting} wait for another attempt` : '')
    if (left === 0) return tally
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** What became of each event. */
async function printTable(inbox: Inbox): Promise<void> {
  const rows = new Map<string, { count: number; attempts: number; result: string }>()
  for (let before: number | undefined = Number.MAX_SAFE_INTEGER; before !== undefined; ) {
    const page = await inbox.list({ before, limit: 100 })
    for (const { id, event, state } of page.deliveries) {
      const key = `${event.padEnd(28)} ${state}`
      const attempts = (await inbox.get(id))?.tasks.flatMap((task) => task.attempts) ?? []
      const row = rows.get(key) ?? { count: 0, attempts: 0, result: '' }
      const told = attempts.findLast(({ result, error }) => result ?? error)
      const result = told?.result ?? told?.error?.split('\n', 1)[0] ?? ''
      rows.set(key, { count: row.count + 1, attempts: row.attempts + attempts.length, result: row.result || result })
    }
    before = page.next
  }
  const width = Math.max(30, (process.stdout.columns ?? 100) - 60)
  console.log(
    `\n${'event'.padEnd(28)} ${'state'.padEnd(10)} ${'count'.padStart(5)} ${'attempts'.padStart(9)}  for example`,
  )
  for (const [key, { count, attempts, result }] of [...rows].sort()) {
    const short = result.length > width ? `${result.slice(0, width - 1)}…` : result
    console.log(`${key.padEnd(39)} ${String(count).padStart(5)} ${String(attempts).padStart(9)}  ${short}`)
  }
}

/** A delivery that nobody could handle is kept, with the reason, until somebody retries it. */
async function printDead(inbox: Inbox): Promise<void> {
  const { deliveries: dead } = await inbox.list({ state: 'dead' })
  for (const { id, event, repository } of dead satisfies DeliverySummary[]) {
    console.log(`\nDead: delivery ${id}, ${event} of ${repository}`)
    for (const { handler, attempts } of (await inbox.get(id))?.tasks ?? []) {
      for (const { number, outcome, duration, error = '' } of attempts) {
        console.log(`  ${handler} attempt ${number}: ${outcome} after ${duration} ms ${error.split('\n', 1)[0]}`)
      }
    }
  }
}

/** One line that is written over, on a terminal. */
function progress(done: number, all: number, what: string): void {
  if (!process.stdout.isTTY) return
  const width = 30
  const bar = '█'.repeat(Math.round((width * done) / all)).padEnd(width, '░')
  const end = done === all ? '\r\x1b[K' : ''
  process.stdout.write(`\r${bar} ${done}/${all} ${what}\x1b[K${end}`)
}
