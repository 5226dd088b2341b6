import type { ComponentChildren } from 'preact'
import type {
  GitHub as Answer,
  AppStatus,
  Finding,
  Installation,
  WebhookStatus,
} from '../../src/server/api/schemas/responses.ts'
import { get } from '../api/client.ts'
import { Failure } from '../ui/failure.tsx'
import { Icon } from '../ui/icon.tsx'
import { usePolled } from '../ui/resource.ts'
import { searchFor } from '../ui/search.ts'
import { plain, safeLink } from '../ui/text.ts'
import { Ago } from '../ui/time.tsx'
import { counted } from '../ui/units.ts'
import { RateLimits } from './rate-limits.tsx'
import { RecoveryTimeline } from './recovery-timeline.tsx'
import './github.css'

/** The server asks GitHub at most once a minute. */
const interval = 60_000

/** The webhooks, the App and its installations, as GitHub shows them. */
export function GitHub() {
  const { value, error, reload } = usePolled('github', interval, (signal) => get<Answer>('github', {}, signal))
  const status = value?.status
  return (
    <div class="github">
      <div class="heading">
        <h1>GitHub</h1>
        {status && (
          <span class="soft small">
            GitHub was asked <Ago at={status.checkedAt} />
          </span>
        )}
      </div>
      {error && <Failure error={error} again={reload} />}
      {!value && !error && <p class="loading soft">Asking GitHub…</p>}
      {value && !status && <NothingToAsk />}
      {status?.problems.map(({ target, problem }) => (
        <p key={target} class="note bad">
          <Icon name="warning" />
          <span class="foreign">
            {plain(target)}: {plain(problem)}
          </span>
        </p>
      ))}
      <RecoveryTimeline />
      {status?.webhooks.map((webhook) => (
        <Webhook key={webhook.name} {...webhook} />
      ))}
      {status?.app && <App {...status.app} />}
      <RateLimits />
    </div>
  )
}

function NothingToAsk() {
  return (
    <div class="blank">
      <h2>The server asks GitHub nothing</h2>
      <p>
        To see the webhooks here as GitHub sees them, start the server with <code>--recover owner/repo</code> or{' '}
        <code>--pull owner/repo</code> and a token, or with the id and the private key of a GitHub App.
      </p>
    </div>
  )
}

function Webhook({ name, url, events, findings, newest }: WebhookStatus) {
  const title = `webhook-${name}`
  return (
    <section class="card" aria-labelledby={title}>
      <header>
        <h2 id={title}>
          Webhook <span class="foreign">{plain(name)}</span>
        </h2>
        <Health findings={findings} />
      </header>
      <div class="body">
        <dl class="facts">
          <dt>Delivers to</dt>
          <dd class="foreign">{plain(url ?? 'unknown')}</dd>
          <dt>Events</dt>
          <dd class="foreign">{plain(events.join(', ') || 'none')}</dd>
        </dl>
        <Findings findings={findings} />
        <NewestDeliveries newest={newest} />
      </div>
    </section>
  )
}

function App({ name, page, settings, permissions, findings, installations }: AppStatus) {
  return (
    <section class="card" aria-labelledby="app-title">
      <header>
        <h2 id="app-title">
          App <span class="foreign">{plain(name)}</span>
        </h2>
        <Health findings={findings} />
        <span class="end">
          <OnGitHub link={page}>Page</OnGitHub>
          <OnGitHub link={settings}>Settings</OnGitHub>
        </span>
      </header>
      <div class="body">
        <dl class="facts">
          <dt>Permissions</dt>
          <dd class="foreign">{permissionsText(permissions)}</dd>
        </dl>
        <Findings findings={findings} />
        {installations.length === 0 ? (
          <p class="soft">No account has installed the App.</p>
        ) : (
          <Installations installations={installations} />
        )}
      </div>
    </section>
  )
}

/** Whether all is well, in the header of a card. */
function Health({ findings }: { findings: readonly Finding[] }) {
  const failed = findings.filter(({ state }) => state === 'failed').length
  const warnings = findings.filter(({ state }) => state === 'warning').length
  if (failed > 0) return <span class="tag dead">{counted(failed, 'problem', 'problems')}</span>
  if (warnings > 0) return <span class="tag">{counted(warnings, 'warning', 'warnings')}</span>
  return <span class="tag">no problem</span>
}

const marks = {
  failed: { icon: 'failed', says: 'Problem' },
  warning: { icon: 'warning', says: 'Warning' },
  fine: { icon: 'done', says: 'Fine' },
} as const

/** Problems first. */
function Findings({ findings }: { findings: readonly Finding[] }) {
  if (findings.length === 0) return null
  const ordered = (Object.keys(marks) as Finding['state'][]).flatMap((one) =>
    findings.filter(({ state }) => state === one),
  )
  return (
    <ul class="findings">
      {ordered.map(({ what, state, found, cure }) => (
        <li key={`${what} ${found}`} class={state}>
          <Icon name={marks[state].icon} />
          <span class="hidden-visually">{marks[state].says}: </span>
          <span class="what">{what}</span>
          <span class="foreign">
            {plain(found)}
            {cure !== undefined && <span class="cure">What to do: {plain(cure)}</span>}
          </span>
        </li>
      ))}
    </ul>
  )
}

function NewestDeliveries({ newest }: Pick<WebhookStatus, 'newest'>) {
  if (newest.length === 0) return <p class="soft">GitHub lists no delivery to this webhook.</p>
  return (
    <table class="table" aria-label="The newest deliveries in GitHub's log">
      <Head names={['Delivered', 'Event', 'GitHub says', 'In the inbox']} />
      <tbody>
        {newest.map(({ guid, deliveredAt, event, action, status, ok }) => (
          <tr key={`${guid} ${deliveredAt}`}>
            <td>
              <Ago at={deliveredAt} />
            </td>
            <td class="foreign">{plain(action === undefined ? event : `${event}.${action}`)}</td>
            <td class={ok ? 'foreign' : 'foreign problem'}>{plain(status)}</td>
            <td>
              <a href={searchFor({ guid })} aria-label={`Find the delivery ${guid}`}>
                Find
              </a>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Head({ names }: { names: readonly string[] }) {
  return (
    <thead>
      <tr>
        {names.map((name) => (
          <th key={name} scope="col">
            {name}
          </th>
        ))}
      </tr>
    </thead>
  )
}

function Installations({ installations }: { installations: readonly Installation[] }) {
  return (
    <table class="table" aria-label="Installations of the App">
      <Head names={['Account', 'Repositories', 'Permissions', 'On GitHub']} />
      <tbody>
        {installations.map(({ id, account, coversAll, permissions, isSuspended, page }) => (
          <tr key={id}>
            <td class="foreign">
              {plain(account)} {isSuspended && <span class="tag dead">suspended</span>}
            </td>
            <td>{coversAll ? 'all' : 'selected'}</td>
            <td class="foreign">{permissionsText(permissions)}</td>
            <td>
              <OnGitHub link={page}>
                Settings<span class="hidden-visually"> of the installation of {plain(account)}</span>
              </OnGitHub>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

const permissionsText = (permissions: Readonly<Record<string, string | undefined>>): string =>
  Object.entries(permissions)
    .map(([name, level]) => `${plain(name)} (${plain(level ?? '')})`)
    .join(', ') || 'none'

function OnGitHub({ link, children }: { link: string; children: ComponentChildren }) {
  const safe = safeLink(link)
  if (safe === undefined) return null
  return (
    <a href={safe} target="_blank" rel="noreferrer">
      {children}
    </a>
  )
}
