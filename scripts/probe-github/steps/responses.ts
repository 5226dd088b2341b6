/** Which headers do GitHub's answers have, and what does a conditional request cost? */
import { readLog, waitForAttempts } from '../attempts.ts'
import { type ApiAnswer, apiVersion } from '../github-api.ts'
import { type Probe, quickUrl } from '../probe.ts'
import type { Answer, Facts, Step } from '../step.ts'

/** Headers that hookserver reads, or could read. */
const interesting = [
  ...['x-poll-interval', 'x-github-api-version-selected', 'x-ratelimit-limit', 'x-ratelimit-remaining'],
  ...['x-ratelimit-reset', 'x-ratelimit-used', 'x-ratelimit-resource', 'retry-after', 'etag', 'last-modified', 'date'],
  ...['cache-control', 'deprecation', 'sunset', 'x-accepted-github-permissions', 'x-accepted-oauth-scopes'],
  ...['x-oauth-scopes', 'x-github-request-id', 'x-github-enterprise-version'],
]

async function askHeaders(probe: Probe): Promise<Answer> {
  const webhook = await probe.webhooks.create({ url: quickUrl(probe) })
  const { answer: list } = await readLog(probe, webhook)
  const write = await probe.api.request('POST', `${webhook.path}/pings`)
  return {
    facts: {
      apiVersion: { requested: apiVersion, selected: list.headers.get('x-github-api-version-selected') },
      pollInterval: list.headers.get('x-poll-interval'),
      list: presentIn(list),
      ping: presentIn(write),
    },
  }
}

const presentIn = ({ headers }: ApiAnswer): string[] => interesting.filter((name) => headers.has(name))

/** How often the list is read with `If-None-Match`. */
const conditionalReads = 3

async function askConditional(probe: Probe): Promise<Answer> {
  const webhook = await probe.webhooks.create({ url: quickUrl(probe) })
  await waitForAttempts(probe, webhook) // no other attempt follows, so the list stays the same
  const path = `${webhook.path}/deliveries`
  const first = await probe.api.request('GET', path)
  const etag = first.headers.get('etag')
  if (etag === null) return { facts: { etag: 'none' } }
  const conditional: ApiAnswer[] = []
  for (let read = 0; read < conditionalReads; read++)
    conditional.push(await probe.api.send('GET', path, { headers: { 'if-none-match': etag } }))
  const last = await probe.api.request('GET', path)
  const answers = [first, ...conditional, last]
  return {
    facts: {
      etag: etag.startsWith('W/') ? 'weak' : 'strong',
      statuses: conditional.map(({ status }) => status),
      ...costsOf(answers),
    },
    measured: { remaining: answers.map(({ headers }) => headers.get('x-ratelimit-remaining')) },
  }
}

/**
 * How many requests the rate limit counted after the first. Other programs with the same token can make a request
 * look more expensive, and the start of a new hour makes the costs unknown.
 */
function costsOf(answers: readonly ApiAnswer[]): Facts {
  const limits = answers.map(({ headers }) => ({
    remaining: Number(headers.get('x-ratelimit-remaining') ?? Number.NaN),
    reset: headers.get('x-ratelimit-reset'),
  }))
  const costs = limits.slice(1).map(({ remaining, reset }, index) => {
    const before = limits[index]
    return before?.reset === reset ? before.remaining - remaining : Number.NaN
  })
  if (costs.some(Number.isNaN)) return { cost: 'unknown' }
  return { cost: { conditional: costs.slice(0, -1), unconditional: costs.at(-1) ?? null } }
}

export const responseSteps: readonly Step[] = [
  {
    name: 'headers',
    question: 'Which headers do the list of deliveries and a ping have?',
    ask: askHeaders,
  },
  {
    name: 'conditional-list',
    question: 'Is the list of deliveries answered 304 to If-None-Match, and is a 304 free?',
    ask: askConditional,
  },
]
