import type { WindowName } from '../../src/server/api/schemas/requests.ts'
import type { Stats } from '../../src/server/api/schemas/responses.ts'
import { get } from '../api/client.ts'
import { route } from '../route.ts'
import { WindowLinks } from '../statistics/window-links.tsx'
import { windowIn } from '../statistics/windows.ts'
import { Failure } from '../ui/failure.tsx'
import { usePolled } from '../ui/resource.ts'
import { ByEvent } from './by-event.tsx'
import { ByHandler } from './by-handler.tsx'
import { Charts } from './charts.tsx'
import { Processes } from './processes.tsx'
import { Receiver } from './receiver.tsx'
import { RecoveryCard } from './recovery-card.tsx'
import { Tiles } from './tiles.tsx'
import { Warnings } from './warnings.tsx'
import './overview.css'

/** Milliseconds between two polls. */
const interval = 5000

/** The state of the inbox, statistics, and warnings. */
export function Overview() {
  const chosen = windowIn(route.value.search.window)
  const { value, error, reload } = usePolled(chosen, interval, async (signal) => {
    return { window: chosen, stats: await get<Stats>('stats', { window: chosen }, signal) }
  })
  return (
    <div class="overview">
      <div class="heading">
        <h1>Overview</h1>
        <WindowLinks path="overview" chosen={chosen} />
      </div>
      {error && <Failure error={error} again={reload} />}
      {value ? <Everything {...value} /> : !error && <p class="loading soft">Loading…</p>}
    </div>
  )
}

function Everything({ stats, window }: { stats: Stats; window: WindowName }) {
  return (
    <>
      <Warnings warnings={stats.warnings} />
      <Tiles stats={stats} window={window} />
      <Charts series={stats.series} window={window} />
      <div class="pair">
        <ByEvent series={stats.series} window={window} />
        <ByHandler series={stats.series} window={window} />
      </div>
      <div class="pair">
        <Receiver stats={stats} window={window} />
        <RecoveryCard />
      </div>
      <Processes processes={stats.processes} />
    </>
  )
}
