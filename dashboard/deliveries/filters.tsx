import { signal } from '@preact/signals'
import { useId, useRef, useState } from 'preact/hooks'
import { deliveryStates } from '../../src/inbox/records.ts'
import { Icon } from '../ui/icon.tsx'
import { meaningOf } from '../ui/state.tsx'
import { valueIn, withValues } from './search.ts'
import { knownValues, type Suggestion } from './suggestions.ts'

interface FilterProps {
  /** The search. */
  text: string
  onSearch: (text: string) => void
}

/**
 * Whether the filters are open on a phone. Outlives the component, so that open filters are still open after going
 * back.
 */
const open = signal(false)

const conditions = ['state', 'event', 'repo', 'sender', 'source', 'since', 'until']

/** Controls for common conditions. Each shows and changes its part of the search. On a phone a button opens them. */
export function Filters({ text, onSearch }: FilterProps) {
  const change = (values: Readonly<Record<string, string>>) => onSearch(withValues(text, values))
  const set = new Set(conditions.filter((name) => valueIn(text, name) !== ''))
  const state = valueIn(text, 'state')
  const isOneState = state === '' || deliveryStates.some((one) => one === state)
  return (
    <fieldset class={`filters ${open.value ? 'open' : ''}`}>
      <legend class="hidden-visually">Filters</legend>
      <button type="button" class="button slim" aria-expanded={open.value} onClick={() => (open.value = !open.value)}>
        <Icon name="filter" />
        Filters{set.size > 0 && ` (${set.size})`}
      </button>
      <label>
        <span>State</span>
        <select class="field" value={state} onChange={({ currentTarget }) => change({ state: currentTarget.value })}>
          {!isOneState && <option value={state}>{state}</option>}
          <option value="">any</option>
          {deliveryStates.map((one) => (
            <option key={one} value={one}>
              {one} – {meaningOf(one)}
            </option>
          ))}
        </select>
      </label>
      <Text name="event" label="Event" text={text} onSet={(event) => change({ event })} />
      <Text name="repo" label="Repository" text={text} onSet={(repo) => change({ repo })} />
      <Text name="sender" label="Sender" text={text} onSet={(sender) => change({ sender })} />
      <Text name="source" label="Source" text={text} onSet={(source) => change({ source })} />
      <Time text={text} onSearch={onSearch} />
      <button type="button" class="button plain" hidden={text === ''} onClick={() => onSearch('')}>
        Clear
      </button>
    </fieldset>
  )
}

/** A text field that suggests the values that the server knows. */
function Text({ name, label, text, onSet }: { name: string; label: string; text: string; onSet: (v: string) => void }) {
  const [known, setKnown] = useState<Suggestion[]>([])
  const asking = useRef(new AbortController())
  const list = useId()
  const value = valueIn(text, name)
  const ask = async (prefix: string) => {
    asking.current.abort()
    asking.current = new AbortController()
    const { signal } = asking.current
    const values = await knownValues(name, prefix, signal)
    if (!signal.aborted) setKnown(values)
  }
  return (
    <label>
      <span>{label}</span>
      <input
        class="field"
        list={list}
        value={value}
        placeholder="any"
        spellcheck={false}
        autocomplete="off"
        onFocus={() => void ask('')}
        onInput={({ currentTarget }) => void ask(currentTarget.value.trim())}
        onChange={({ currentTarget }) => currentTarget.value.trim() !== value && onSet(currentTarget.value.trim())}
      />
      <datalist id={list}>
        {known.map((one) => (
          <option key={one.text} value={one.text} />
        ))}
      </datalist>
    </label>
  )
}

/** Time ranges, and their text in the search. */
const spans: readonly (readonly [name: string, since: string, until: string])[] = [
  ['any time', '', ''],
  ['the last hour', '1h', ''],
  ['the last 24 hours', '24h', ''],
  ['the last 7 days', '7d', ''],
  ['today', 'today', ''],
  ['yesterday', 'yesterday', 'today'],
]

function Time({ text, onSearch }: FilterProps) {
  const [since, until] = [valueIn(text, 'since'), valueIn(text, 'until')]
  const chosen = spans.findIndex((span) => span[1] === since && span[2] === until)
  return (
    <label>
      <span>Time</span>
      <select
        class="field"
        value={String(chosen)}
        onChange={({ currentTarget }) => {
          const [, from = '', to = ''] = spans[Number(currentTarget.value)] ?? []
          onSearch(withValues(text, { since: from, until: to }))
        }}
      >
        {chosen < 0 && <option value="-1">{[since && `since ${since}`, until && `until ${until}`].join(' ')}</option>}
        {spans.map(([name], index) => (
          <option key={name} value={String(index)}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}
