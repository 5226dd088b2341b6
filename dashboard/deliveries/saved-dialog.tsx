import { useState } from 'preact/hooks'
import { linkTo } from '../address.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { plain } from '../ui/text.ts'
import { deleteSearch, savedSearches, saveSearch } from './saved-searches.ts'
import './saved-dialog.css'

/** Names and saves the search, and lists the saved searches. */
export function SavedDialog({ text, onClose }: { text: string; onClose: () => void }) {
  const [name, setName] = useState('')
  const saved = savedSearches.value
  const isTaken = saved.some((one) => one.name === name.trim())
  return (
    <Dialog title="Saved searches" onClose={onClose}>
      <div class="body saved-searches">
        {text !== '' && (
          <form
            onSubmit={(event) => {
              event.preventDefault()
              saveSearch({ name: name.trim(), text })
              setName('')
            }}
          >
            <label>
              Name of <code class="foreign">{plain(text, 200)}</code>
              <input
                class="field"
                value={name}
                maxLength={60}
                required
                pattern=".*\S.*"
                autocomplete="off"
                onInput={({ currentTarget }) => setName(currentTarget.value)}
              />
            </label>
            <button type="submit" class="button primary">
              {isTaken ? 'Replace' : 'Save'}
            </button>
          </form>
        )}
        {saved.length === 0 && (
          <p class="soft">There are none. Search for deliveries, and then save the search here.</p>
        )}
        <ul>
          {saved.map((one) => (
            <li key={one.name}>
              <a class="foreign" href={linkTo('deliveries', { q: one.text })} onClick={onClose}>
                {plain(one.name, 60)}
              </a>
              <code class="soft foreign">{plain(one.text, 200)}</code>
              <button
                type="button"
                class="button plain slim"
                aria-label={`Delete ${plain(one.name, 60)}`}
                onClick={() => deleteSearch(one.name)}
              >
                <Icon name="bin" />
              </button>
            </li>
          ))}
        </ul>
        <p class="soft small">This browser keeps them. Other browsers and other operators do not see them.</p>
      </div>
    </Dialog>
  )
}
