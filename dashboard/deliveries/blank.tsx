import { linkTo } from '../address.ts'
import { mayAct } from '../session/session.ts'
import { CopyButton } from '../ui/copy.tsx'

const tryIt = 'npx hookserver send issues.opened'

/** Before the first delivery. */
export function NothingYet() {
  return (
    <section class="blank nothing-yet">
      <h2>Nothing has come in yet</h2>
      <ol>
        <li>
          On GitHub, open your repository’s <strong>Settings</strong>, then <strong>Webhooks</strong>, then{' '}
          <strong>Add webhook</strong>.
        </li>
        <li>
          Enter the public address of this server, with <code>/hooks</code> at its end, content type{' '}
          <code>application/json</code>, and the secret that this server was started with.
        </li>
        <li>
          Choose the events, and press <strong>Add webhook</strong>. GitHub sends a <code>ping</code> at once: it
          appears here by itself.
        </li>
      </ol>
      <p>
        To try it without GitHub, in a terminal where the server runs: <code class="line">{tryIt}</code>
        <CopyButton text={() => tryIt} what="the command" />
      </p>
      {mayAct.value && (
        <p>
          Or <a href={linkTo('send')}>send a sample from here</a>.
        </p>
      )}
    </section>
  )
}

/** Where there are deliveries, but none of these. */
export function NoMatch({ onClear }: { onClear: () => void }) {
  return (
    <section class="blank">
      <h2>No delivery matches</h2>
      <p>Look at the filters above, or widen the time. What matches from now on appears here by itself.</p>
      <button type="button" class="button" onClick={onClear}>
        Show all deliveries
      </button>
    </section>
  )
}
