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
          Enter the public URL of this server, ending in <code>/hooks</code>. Choose the content type{' '}
          <code>application/json</code>, and enter the secret that you started this server with.
        </li>
        <li>
          Choose the events, and click <strong>Add webhook</strong>. GitHub sends a <code>ping</code>, which appears
          here.
        </li>
      </ol>
      <p>
        To try it without GitHub, run this command on the server’s machine: <code class="line">{tryIt}</code>
        <CopyButton text={() => tryIt} what="the command" />
      </p>
      {mayAct.value && (
        <p>
          Or <a href={linkTo('send')}>send a sample delivery</a>.
        </p>
      )}
    </section>
  )
}

/** Shown if no delivery matches the search. */
export function NoMatch({ text, onClear }: { text: string; onClear: () => void }) {
  const paths = namesIn(text).filter((name) => name.includes('.'))
  return (
    <section class="blank">
      <h2>No delivery matches</h2>
      {paths.map((path) => (
        <p key={path}>
          <code class="foreign">{plain(path, 100)}</code> is a path, so the search looked for it in payloads.
        </p>
      ))}
      <p>Check the filters above, or choose a longer time range. New matches appear here.</p>
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
