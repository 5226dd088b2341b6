import type { ComponentChildren } from 'preact'
import type { WindowName } from '../../src/server/api/schemas/requests.ts'
import type { Stats } from '../../src/server/api/schemas/responses.ts'
import { windows } from '../statistics/windows.ts'
import { plain } from '../ui/text.ts'
import { Ago } from '../ui/time.tsx'
import { bytes, count, counted, duration } from '../ui/units.ts'

/** The receiver of the process that serves this page, if it has one, and figures of the process and the inbox. */
export function Receiver({ stats, window }: { stats: Stats; window: WindowName }) {
  const { receiver, size, series, process } = stats
  return (
    <section class="card">
      <header>
        <h2>Receiver</h2>
      </header>
      <dl class="body facts">
        {receiver ? (
          <>
            <Fact name="Origin check">{origin(receiver)}</Fact>
            {receiver.origin !== false && (
              <Fact name="GitHub’s addresses">
                <Ranges ranges={receiver.ranges} />
              </Fact>
            )}
            <Fact name="Signatures">
              {receiver.signature ? 'checked' : 'not checked, so anyone can send deliveries'}
            </Fact>
            <Fact name="Bodies in memory">
              {bytes(receiver.heldBytes)} of {bytes(receiver.heldLimit)}
            </Fact>
          </>
        ) : (
          <Fact name="Requests">not received by this process</Fact>
        )}
        <Fact name="Secrets">
          <Secrets secrets={series.secrets} lasting={windows[window].lasting} />
        </Fact>
        <Fact name="Database">{bytes(size)}</Fact>
        <Fact name="Version">{process.version}</Fact>
        <Fact name="Uptime">{duration(process.uptime)}</Fact>
        <Fact name="Memory">{bytes(process.memory.rss)}</Fact>
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

function origin({ origin: check, ranges }: NonNullable<Stats['receiver']>): string {
  if (check === 'warn') return 'logs a warning, but accepts any address'
  if (!check) return 'off, accepts any address'
  return ranges ? 'on, accepts only GitHub’s addresses' : 'on, accepts only the addresses of --ranges'
}

function Ranges({ ranges }: { ranges: NonNullable<Stats['receiver']>['ranges'] }) {
  if (!ranges) return <>not fetched, because --ranges lists the addresses</>
  const { count: number, fetchedAt, failing } = ranges
  return (
    <>
      {count(number)} ranges
      {fetchedAt !== undefined && (
        <>
          , fetched <Ago at={fetchedAt} />
        </>
      )}
      {failing !== undefined && <span class="foreign problem"> The last fetch failed: {plain(failing)}</span>}
    </>
  )
}

const nth = new Intl.PluralRules('en', { type: 'ordinal' })
const suffixes: Readonly<Record<string, string>> = { one: 'st', two: 'nd', few: 'rd', other: 'th' }

/** Deliveries by the secret that signed them. There are several secrets during a rotation. */
function Secrets({ secrets, lasting }: { secrets: Stats['series']['secrets']; lasting: string }) {
  if (secrets.length === 0) return <>no signed deliveries in {lasting}</>
  return (
    <>
      {secrets
        .toSorted((a, b) => a.index - b.index)
        .map(({ index, count: number }) => (
          <span key={index} class="line">
            {index + 1}
            {suffixes[nth.select(index + 1)]} secret: {counted(number, 'delivery', 'deliveries')}
            {index > 0 && number > 0 && ', still signed with an old secret'}
          </span>
        ))}
    </>
  )
}
