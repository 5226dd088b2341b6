/** A process that sweeps, to be killed while it does. */
import { Octokit } from 'octokit'
import { Recovery } from '../../src/github/recovery.ts'
import type { Requester } from '../../src/github/requester.ts'
import { usualTiming } from '../../src/github/timing.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { childLogger, silentLogger } from '../../src/telemetry/logger.ts'

const { file, apiUrl, token, hook, lease } = JSON.parse(process.argv[2] ?? '')
const plugins = { throttle: { enabled: false }, retry: { enabled: false } }
const github = new Octokit({ auth: token, baseUrl: apiUrl, ...plugins }) as Requester
const timing = { ...usualTiming, lease, renewal: lease / 8 }
const recovery = new Recovery(
  {
    ...{ inbox: sqlite(file), source: '/hooks', logger: childLogger(silentLogger), timing },
    connect: async () => github,
    isHandled: () => true,
  },
  {
    ...{ targets: [{ repository: 'acme/shop', id: hook }], url: undefined, lookback: undefined, kept: 3 * 86_400_000 },
    ...{ mode: 'redeliver', includeOk: false, every: 300_000, pace: 5 },
  },
)
await recovery.sweep()
