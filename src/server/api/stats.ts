import { lookbackLimits } from '../../github/lookback.ts'
import { lastSweep } from '../../github/recovery/recovery.ts'
import { withoutSecrets } from '../../github/target.ts'
import { version } from '../../runtime/platform.ts'
import { visitorIn } from '../auth/guard.ts'
import { type ApiContext, type Route, route } from './route.ts'
import { StatsQuery, type WindowName } from './schemas/requests.ts'
import type * as responses from './schemas/responses.ts'
import { Series } from './series.ts'
import { hasWaited, warnings } from './warnings.ts'

/** Statistics, processes and rejected requests. */
export const stats = (api: ApiContext): Route[] => [
  route({
    method: 'get',
    path: '/stats',
    operationId: 'getStats',
    summary: 'Get the state of the inbox and this process, counts per time step, and warnings',
    query: StatsQuery,
    answer: 'Stats',
    handle({ context, query: { window } }) {
      const { webhookUrl } = api
      const isHidden = webhookUrl !== undefined && visitorIn(context).readOnly
      return statsOf({ ...api, webhookUrl: isHidden ? withoutSecrets(webhookUrl) : webhookUrl }, window)
    },
  }),
  route({
    method: 'get',
    path: '/processes',
    operationId: 'listProcesses',
    summary: 'List the processes that use the inbox, in the order in which they started',
    answer: 'Processes',
    handle: async () => ({ processes: await api.inbox.processes() }),
  }),
  route({
    method: 'get',
    path: '/rejections',
    operationId: 'listRejections',
    summary: 'List the newest rejected requests, and the number of all rejected requests by code',
    answer: 'Rejections',
    handle: () => api.inbox.rejections(),
  }),
]

async function statsOf(
  { inbox, receiver, polling, role, publicUrl = '', webhookUrl, dev = false }: ApiContext,
  window: WindowName,
): Promise<responses.Stats> {
  const now = Date.now()
  const lastHour = Series.read(inbox, '1h', now)
  // Awaited together, because all of them fail if the inbox is down, and an unhandled rejection would end the process.
  const [hour, series, overview, { recoverSince }, sweep, processes] = await Promise.all([
    lastHour,
    window === '1h' ? lastHour : Series.read(inbox, window, now),
    inbox.overview(),
    lookbackLimits(inbox),
    lastSweep(inbox),
    inbox.processes(),
  ])
  const waited = await hasWaited(inbox, overview, now)
  const status = receiver?.status()
  const { rss, heapUsed } = process.memoryUsage()
  return {
    ...overview,
    recoverSince,
    process: { version, role, uptime: Math.round(process.uptime() * 1000), memory: { rss, heapUsed } },
    processes,
    receiver: status && { ...status, url: publicUrl, publicUrl: webhookUrl },
    series: described(series),
    warnings: warnings({
      ...{ hour, overview, hasWaited: waited, status, sweep, processes, dev, now },
      polls: polling?.failures ?? [],
    }),
  }
}

function described(series: Series): responses.Series {
  const { since, step } = series
  const { whole: latency, steps: latencies } = series.answers()
  const received = series.lists('received').map(({ name: event, ...rest }) => ({ event, ...rest }))
  const attempts = series.lists('attempts').map(({ name: handler, outcome, counts }) => {
    return { handler, outcome: outcome as responses.AttemptDetail['outcome'], counts }
  })
  const rejected = series.lists('rejected').map(({ name: code, counts }) => ({ code, counts }))
  const secrets = series
    .names('secrets')
    .map((name) => ({ index: Number(name), count: series.total('secrets', { name }) }))
  return { since, step, received, attempts, rejected, secrets, latency, latencies }
}
