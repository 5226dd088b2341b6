import { Dialog } from '../ui/dialog.tsx'
import { keys } from '../ui/keys.ts'
import { shortcuts } from '../ui/preferences.ts'

/** Examples of the grammar in docs/search.md. */
const searches: readonly (readonly [text: string, finds: string])[] = [
  ['https://github.com/acme/shop/pull/182', 'an address of GitHub'],
  ['acme/shop#182', 'a pull request or an issue'],
  ['state:dead,retrying', 'one of several values'],
  ['repo:acme/* event:pull_request*', 'values with this beginning'],
  ['-state:done', 'all others'],
  ['state:dead or error:503', 'either of two conditions'],
  ['pull_request.user.login:octocat', 'a value in the payload'],
]

export function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <div class="body">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Key</th>
              <th scope="col">Action</th>
            </tr>
          </thead>
          <tbody>
            {keys.map(([key, does]) => (
              <tr key={key}>
                <td>
                  <kbd>{key}</kbd>
                </td>
                <td>{does}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <h3>Search</h3>
        <table class="table">
          <tbody>
            {searches.map(([text, finds]) => (
              <tr key={text}>
                <td>
                  <code>{text}</code>
                </td>
                <td>{finds}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <p>
          <label>
            <input
              type="checkbox"
              checked={shortcuts.value}
              onChange={({ currentTarget }) => (shortcuts.value = currentTarget.checked)}
            />{' '}
            Enable single-key shortcuts
          </label>
        </p>
      </div>
    </Dialog>
  )
}
