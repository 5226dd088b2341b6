import { lastSweep } from '../../github/recovery.ts'
import { version } from '../../runtime/platform.ts'
import { readFilters } from './filters.ts'
import type { Operated } from './operated.ts'
import { parametersIn, type Route } from './route.ts'
import { answer, parametersOf, problems } from './schemas.ts'
import { Series, type WindowName, windows } from './series.ts'
import { aChoice, type Reader } from './values.ts'
import { warnings } from './warnings.ts'

const parameters: Readonly<Record<'window', Reader>> = { window: aChoice(Object.keys(windows)) }

/** How the inbox and this process stand, and what was counted. */
export function stats({ inbox, receiver, role }: Operated): Route {
  return {
    method: 'get',
    path: '/stats',
    operation: {
      operationId: 'getStats',
      summary: 'How the inbox stands, and the process that answers; what was counted, step by step; what to see to',
      parameters: parametersOf(parameters),
      responses: { 200: answer('Stats'), ...problems(400) },
    },
    async answer(context) {
      const { window = '1h' } = readFilters(parametersIn(context), parameters) as { window?: WindowName }
      const now = Date.now()
      const reading = Series.read(inbox, '1h', now)
      // Together: of an inbox that is away all fail, and a failure that nobody waits for ends the process.
      const [hour, series, tally, sweep, processes] = await Promise.all([
        reading,
        window === '1h' ? reading : Series.read(inbox, window, now),
        inbox.overview(),
        lastSweep(inbox),
        inbox.processes(),
      ])
      const status = receiver?.status()
      return context.json({
        ...tally,
        process: processNow(role),
        processes,
        receiver: status,
        series: shown(series),
        warnings: warnings({ hour, tally, status, sweep, processes, now }),
      })
    },
  }
}

function shown(series: Series): object {
  const { since, step } = series
  const { whole: latency, steps: latencies } = series.answers()
  const received = series.lists('received').map(({ name: event, ...rest }) => ({ event, ...rest }))
  const attempts = series.lists('attempts').map(({ name: handler, ...rest }) => ({ handler, ...rest }))
  const refused = series.lists('rejected').map(({ name: code, counts }) => ({ code, counts }))
  const secrets = series
    .names('secrets')
    .map((name) => ({ index: Number(name), count: series.total('secrets', { name }) }))
  return { since, step, received, attempts, refused, secrets, latency, latencies }
}

function processNow(role: Operated['role']): object {
  const { rss, heapUsed } = process.memoryUsage()
  return { version, role, uptime: Math.round(process.uptime() * 1000), memory: { rss, heapUsed } }
}
