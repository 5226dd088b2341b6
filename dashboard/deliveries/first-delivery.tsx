import type { ComponentChildren } from 'preact'
import type { Rejection, Rejections, Stats } from '../../src/server/api/schemas/responses.ts'
import { linkTo } from '../address.ts'
import { get } from '../api/client.ts'
import { ExplanationNote } from '../rejections/explanation-note.tsx'
import { mayAct } from '../session/session.ts'
import { CopyButton } from '../ui/copy.tsx'
import { Icon, type IconName } from '../ui/icon.tsx'
import { usePolled } from '../ui/resource.ts'
import { plain } from '../ui/text.ts'
import { Ago } from '../ui/time.tsx'

/** Milliseconds between two polls. */
const interval = 5000

/** Shown before the first delivery: the parts that are ready, the next steps, and the cause of the last rejection. */
export function FirstDelivery() {
  const { value } = usePolled('first delivery', interval, async (signal) => {
    const [{ receiver, process }, { latest }] = await Promise.all([
      get<Stats>('stats', {}, signal),
      get<Rejections>('rejections', {}, signal),
    ])
    return { receiver, isWorker: process.role === 'worker', rejection: worstOf(latest) }
  })
  return (
    <section class="blank nothing-yet">
      <h2>No deliveries yet</h2>
      {value && (
        <>
          <ol>{value.receiver ? <Receiving {...value.receiver} /> : <Elsewhere isWorker={value.isWorker} />}</ol>
          {value.rejection && <LastRejection {...value.rejection} />}
          {value.receiver && <WithoutPublicAddress url={value.receiver.url} />}
          {value.receiver && <TryIt url={value.receiver.url} />}
        </>
      )}
    </section>
  )
}

/** The newest rejected request that may be a delivery, or else the newest one, which may come from a scanner. */
const worstOf = (latest: readonly Rejection[]): Rejection | undefined =>
  latest.find(({ event, guid }) => event !== undefined || guid !== undefined) ?? latest[0]

function Receiving({ url, publicUrl, signature }: NonNullable<Stats['receiver']>) {
  return (
    <>
      <Step icon="done" tone="good">
        This server receives deliveries at <Line text={url} what="the address" />
      </Step>
      {signature ? (
        <Step icon="done" tone="good">
          A secret is set, so deliveries without its signature are rejected.
        </Step>
      ) : (
        <Step icon="warning" tone="warn">
          Signatures are not checked, so anyone can send deliveries. Set a secret with <code>GITHUB_WEBHOOKS_KEY</code>{' '}
          or <code>--secret-file</code>.
        </Step>
      )}
      <Step icon="edit">
        On GitHub, open your repository’s <strong>Settings</strong>, then <strong>Webhooks</strong>, then{' '}
        <strong>Add webhook</strong>. Enter{' '}
        {publicUrl === undefined ? (
          <>
            the public URL of this server, ending in <code>{new URL(url).pathname}</code>
          </>
        ) : (
          <Line text={publicUrl} what="the public URL" />
        )}
        {', choose the content type '}
        <code>application/json</code>
        {signature && ', and enter the same secret'}.
      </Step>
      <Waiting />
    </>
  )
}

/** The steps for a process that has no receiver. */
function Elsewhere({ isWorker }: { isWorker: boolean }) {
  return (
    <>
      <Step icon="done" tone="good">
        {isWorker
          ? 'This process runs handlers. Another process receives the deliveries, and stores them in the same inbox.'
          : 'This server gets deliveries from GitHub’s delivery log, so GitHub need not reach it.'}
      </Step>
      <Waiting />
    </>
  )
}

const Waiting = () => (
  <Step icon="clock" tone="busy">
    Waiting for the first delivery… GitHub sends a <code>ping</code> when you add a webhook, and it appears here.
  </Step>
)

function Step(props: { icon: IconName; tone?: string; children: ComponentChildren }) {
  const { icon, tone = '', children } = props
  return (
    <li>
      <span class={`badge ${tone}`}>
        <Icon name={icon} />
      </span>
      <span>{children}</span>
    </li>
  )
}

/** A text to copy. */
function Line({ text, what }: { text: string; what: string }) {
  return (
    <>
      <code class="line foreign">{plain(text)}</code>
      <CopyButton text={() => text} what={what} />
    </>
  )
}

function LastRejection({ at, code, status, reason }: Rejection) {
  return (
    <section class="rejection" aria-label="The last rejected request">
      <p>
        <Icon name="warning" /> <Ago at={at} />, the server rejected a request:{' '}
        <strong class="foreign">{plain(code)}</strong> (status {status})
        {reason !== undefined && <span class="foreign">: {plain(reason)}</span>}
      </p>
      <ExplanationNote code={code} />
      <a href={linkTo('rejections')}>Show rejected requests</a>
    </section>
  )
}

function WithoutPublicAddress({ url }: { url: string }) {
  const pull = 'npx hookserver serve hooks.ts --pull owner/repo'
  const app = 'npx hookserver app create'
  return (
    <section aria-label="Without a public address">
      <h3>If GitHub cannot reach this server</h3>
      <ul>
        <li>
          Let hookserver get the deliveries from GitHub’s delivery log: <Line text={pull} what="the command to pull" />
        </li>
        <li>
          Register a GitHub App, whose deliveries hookserver gets in the same way:{' '}
          <Line text={app} what="the command to create an App" />
        </li>
        <li>
          Start a tunnel to port {new URL(url).port || '80'}, and this server with <code>--validate-ip false</code>,
          because all requests have the address of the tunnel. Signatures are still checked.
        </li>
      </ul>
    </section>
  )
}

function TryIt({ url }: { url: string }) {
  return (
    <p>
      To try it without GitHub, run this command on the server’s machine:{' '}
      <Line text={`npx hookserver send issues.opened --to ${url}`} what="the command" />
      {mayAct.value && (
        <>
          {' '}
          Or <a href={linkTo('send')}>send a sample delivery</a>.
        </>
      )}
    </p>
  )
}
