/** A process that runs one sweep. A test kills it during the sweep. */
import { Octokit } from 'octokit'
import { toRequester } from '../../../src/github/octokit-requester.ts'
import { Recovery } from '../../../src/github/recovery/recovery.ts'
import { sqlite } from '../../../src/sqlite/index.ts'
import { childLogger, silentLogger } from '../../../src/telemetry/logger.ts'

const { file, apiUrl, token, hook, leaseTtl } = JSON.parse(process.argv[2] ?? '')
const plugins = { throttle: { enabled: false }, retry: { enabled: false } }
const github = toRequester(new Octokit({ auth: token, baseUrl: apiUrl, ...plugins }))
const recovery = new Recovery({
  ...{ inbox: sqlite(file), source: '/hooks', logger: childLogger(silentLogger), leaseTtl },
  ...{ targets: [{ repository: 'acme/shop', id: String(hook) }], retention: 3 * 86_400_000 },
  ...{ mode: 'redeliver', includeOk: false, every: 300_000, pace: 5 },
  connect: async () => github,
  isHandled: () => true,
})
await recovery.sweep()
