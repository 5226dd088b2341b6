import type { ComponentChildren } from 'preact'
import type { WindowName } from '../../src/server/api/schemas/requests.ts'
import type { Stats } from '../../src/server/api/schemas/responses.ts'
import { plain } from '../ui/text.ts'
import { Ago } from '../ui/time.tsx'
import { bytes, count, duration } from '../ui/units.ts'
import { windows } from './windows.ts'

/** The checks and the memory of the receiver in the process that answers. */
export function Receiver({ stats, window }: { stats: Stats; window: WindowName }) {
  const { receiver, size, series, process } = stats
  return (
    <section class="card">
      <header>
        <h2>The receiver</h2>
      </header>
      <dl class="body facts">
        {receiver ? (
          <>
            <Fact name="Origin check">{origin(receiver.origin)}</Fact>
            <Fact name="GitHub’s addresses">
              <Ranges ranges={receiver.ranges} />
            </Fact>
            <Fact name="Signatures">{receiver.signature ? 'checked' : 'not checked: anyone can send deliveries'}</Fact>
            <Fact name="Bodies in memory">
              {bytes(receiver.heldBytes)} of {bytes(receiver.heldLimit)}
            </Fact>
          </>
        ) : (
          <Fact name="Receiving">this process is a worker; open the dashboard of a receiver to see its checks</Fact>
        )}
        <Fact name="Secrets">
          <Secrets secrets={series.secrets} lasting={windows[window].lasting} />
        </Fact>
        <Fact name="Database">{bytes(size)}</Fact>
        <Fact name="Version">{process.version}</Fact>
        <Fact name="Running for">
          {duration(process.uptime)}, with {bytes(process.memory.rss)} of memory
        </Fact>
      </dl>
    </section>
  )
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function origin(check: boolean | 'warn'): string {
  if (check === 'warn') return 'warns only: any address is accepted'
  return check ? 'on: only GitHub’s addresses are accepted' : 'off: any address is accepted'
}

function Ranges({ ranges }: { ranges: NonNullable<Stats['receiver']>['ranges'] }) {
  if (!ranges) return <>no list is fetched</>
  const { count: number, fetchedAt, failing } = ranges
  return (
    <>
      {count(number)} ranges
      {fetchedAt !== undefined && (
        <>
          , fetched <Ago at={fetchedAt} />
        </>
      )}
      {failing !== undefined && <span class="foreign problem"> The last attempt failed: {plain(failing)}</span>}
    </>
  )
}

const nth = new Intl.PluralRules('en', { type: 'ordinal' })
const suffixes: Readonly<Record<string, string>> = { one: 'st', two: 'nd', few: 'rd', other: 'th' }

/** Deliveries by secret. Two secrets mean a rotation. */
function Secrets({ secrets, lasting }: { secrets: Stats['series']['secrets']; lasting: string }) {
  if (secrets.length === 0) return <>no signed deliveries in {lasting}</>
  return (
    <>
      {secrets
        .toSorted((a, b) => a.index - b.index)
        .map(({ index, count: number }) => (
          <span key={index} class="line">
            {index + 1}
            {suffixes[nth.select(index + 1)]} secret: {count(number)}
            {index > 0 && number > 0 && ', still signed with an old one'}
          </span>
        ))}
    </>
  )
}
