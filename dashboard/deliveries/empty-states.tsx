import { isColumn } from '../../src/inbox/query/query.ts'
import { linkTo } from '../address.ts'
import { mayAct } from '../session/session.ts'
import { CopyButton } from '../ui/copy.tsx'
import { Icon } from '../ui/icon.tsx'
import { plain } from '../ui/text.ts'
import { namesIn } from './search.ts'

const tryIt = 'npx hookserver send issues.opened'

/** Shown before the first delivery. */
export function NoDeliveriesYet() {
  return (
    <section class="blank nothing-yet">
      <h2>No deliveries yet</h2>
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
          Choose the events, and press <strong>Add webhook</strong>. GitHub sends a <code>ping</code> at once, which
          appears here.
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

/** Shown if no delivery matches the search. */
export function NoMatch({ text, onClear }: { text: string; onClear: () => void }) {
  const paths = namesIn(text).filter((name) => !isColumn(name))
  return (
    <section class="blank">
      <h2>No delivery matches</h2>
      {paths.map((path) => (
        <p key={path}>
          <code class="foreign">{plain(path, 100)}</code> was searched for in the payloads.
        </p>
      ))}
      <p>Check the filters above, or widen the time range. New matches appear here.</p>
      <button type="button" class="button" onClick={onClear}>
        Show all deliveries
      </button>
    </section>
  )
}

/** Shown if the search is not valid: the operator must correct it. */
export function InvalidSearch({ error }: { error: Error }) {
  return (
    <div class="note bad" role="alert">
      <Icon name="warning" />
      <span class="foreign">The search is not valid. {error.message.replaceAll(/(^|; )q\./g, '$1')}</span>
    </div>
  )
}
