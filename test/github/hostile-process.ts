/**
 * A process that sweeps or polls with a broken API, and prints by how many MiB its memory grew. Its arguments are the
 * address of the API, the file of the inbox, and the mode.
 */
import { Octokit } from 'octokit'
import { toRequester } from '../../src/github/octokit-requester.ts'
import { withoutPlugins } from '../../src/github/octokit-scope.ts'
import { Polling } from '../../src/github/polling/polling.ts'
import { Recovery } from '../../src/github/recovery/recovery.ts'
import type { Target } from '../../src/github/target.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { childLogger, silentLogger } from '../../src/telemetry/logger.ts'

const [apiUrl = '', file = '', mode = ''] = process.argv.slice(2)
const inbox = sqlite(file)
await inbox.createdAt()
/** The most memory so far, in MiB. The sources take about 50 MiB more than the built package, to strip their types. */
const peak = () => Math.round(process.resourceUsage().maxRSS / 1024)
const before = peak()
const targets: Target[] = [{ repository: 'acme/shop', id: '1' }]
const common = {
  ...{ inbox, source: '/hooks', logger: childLogger(silentLogger), targets, retention: 3 * 86_400_000, every: 10_000 },
  retryPolicy: { requestTimeout: 60_000, maxWait: 0, retries: [] },
  connect: async () => toRequester(new Octokit({ baseUrl: apiUrl, ...withoutPlugins })),
}
let problem = ''
if (mode === 'recovery') {
  const recovery = new Recovery({ ...common, mode: 'pull', includeOk: false, pace: 0, isHandled: () => true })
  const swept = await recovery.sweep()
  problem = swept?.reports[0]?.error ?? ''
} else {
  const paused = Promise.withResolvers<void>()
  const polling = new Polling({ ...common, namespaceOf: () => apiUrl, pause: async () => paused.resolve() })
  polling.start()
  await paused.promise
  await polling.stop()
}
const { deliveries } = await inbox.list({ limit: 500 })
const missed = (await inbox.missedDeliveries()).map(({ status }) => status)
await inbox.close()
console.log(
  JSON.stringify({ growth: peak() - before, problem, stored: deliveries.length, missed: missed.slice(0, 10) }),
)
