import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Icon } from '../ui/icon.tsx'
import { useKeys } from '../ui/keys.ts'
import { normalized } from './search.ts'
import { type Suggestion, suggestionsFor } from './suggestions.ts'

/**
 * The search field, which suggests names and values for the word at the caret
 * (https://www.w3.org/WAI/ARIA/apg/patterns/combobox/).
 */
export function SearchBox({ text, onSearch }: { text: string; onSearch: (text: string) => void }) {
  const [typed, setTyped] = useState(text)
  const [offered, setOffered] = useState<readonly Suggestion[]>([])
  const [chosen, setChosen] = useState(-1)
  const field = useRef<HTMLInputElement>(null)
  const asking = useRef(new AbortController())
  const id = useId()
  // `text` has no superfluous spaces. If the field differs from `text` only by such spaces, the field keeps them.
  // Otherwise, an operator could not type a space before the next word. A layout effect sets the field right after the
  // render. An ordinary effect would run later, and could overwrite newer input.
  useLayoutEffect(() => setTyped((before) => (normalized(before) === text ? before : text)), [text])
  useKeys({
    '/': (event) => {
      event.preventDefault()
      field.current?.select()
    },
  })

  const close = () => {
    asking.current.abort()
    setOffered([])
    setChosen(-1)
  }
  const offer = async (value: string, caret: number) => {
    asking.current.abort()
    asking.current = new AbortController()
    const { signal } = asking.current
    const found = await suggestionsFor(wordAt(value, caret).word, signal)
    if (signal.aborted) return
    setOffered(found)
    setChosen(-1)
  }
  const accept = ({ text: word }: Suggestion) => {
    const input = field.current
    if (!input) return
    const { value, caret } = completed(input.value, input.selectionStart ?? input.value.length, word)
    // Changes the field immediately, so that fast typing does not wait for a frame.
    input.value = value
    input.setSelectionRange(caret, caret)
    setTyped(value)
    close()
    if (word.endsWith(':')) void offer(value, caret)
    else onSearch(normalized(value))
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const suggestion = offered[chosen]
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      const by = event.key === 'ArrowDown' ? 1 : -1
      if (offered.length > 0) setChosen((chosen + by + offered.length) % offered.length)
      else void offer(typed, field.current?.selectionStart ?? typed.length)
    } else if (event.key === 'Escape') {
      if (offered.length > 0) close()
      else field.current?.blur()
    } else if (event.key === 'Enter' || (event.key === 'Tab' && suggestion)) {
      event.preventDefault()
      if (suggestion) accept(suggestion)
      else {
        close()
        onSearch(normalized(typed))
      }
    }
  }
  return (
    <search class="search-box">
      <Icon name="search" />
      <label class="hidden-visually" for={`${id}-field`}>
        Search deliveries
      </label>
      <input
        ref={field}
        id={`${id}-field`}
        class="field"
        type="text"
        value={typed}
        role="combobox"
        aria-expanded={offered.length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={chosen >= 0 ? `${id}-${chosen}` : undefined}
        placeholder="Search, for example: repo:acme/app event:issues.opened state:dead since:2h"
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        onInput={({ currentTarget: { value, selectionStart } }) => {
          setTyped(value)
          void offer(value, selectionStart ?? value.length)
        }}
        onFocus={({ currentTarget: { value, selectionStart } }) => void offer(value, selectionStart ?? value.length)}
        onBlur={close}
        onKeyDown={onKeyDown}
      />
      <div
        class="suggestions"
        id={`${id}-list`}
        role="listbox"
        tabIndex={-1} // Tab would otherwise stop here, because the list scrolls
        aria-label="Suggestions"
        hidden={offered.length === 0}
      >
        {offered.map((one, index) => (
          <div
            key={one.text}
            id={`${id}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === chosen}
            // Keeps the focus in the field.
            onPointerDown={(event) => {
              event.preventDefault()
              accept(one)
            }}
          >
            <span class="foreign">{one.text}</span>
            <span class="soft small">{one.says}</span>
          </div>
        ))}
      </div>
    </search>
  )
}

/** The word at the caret, and its start. */
function wordAt(text: string, caret: number): { word: string; start: number } {
  const before = text.slice(0, caret)
  const quotes = before.split('"').length - 1
  // A space within quotes does not end the word.
  const start = quotes % 2 === 1 ? before.lastIndexOf(' ', before.lastIndexOf('"')) + 1 : before.lastIndexOf(' ') + 1
  return { word: before.slice(start), start }
}

/** The text with the word at the caret completed, and the new position of the caret. A space follows a value. */
function completed(text: string, caret: number, suggestion: string): { value: string; caret: number } {
  const { word, start } = wordAt(text, caret)
  const name = word.slice(0, word.indexOf(':') + 1)
  const whole = suggestion.endsWith(':') ? suggestion : `${name}${suggestion} `
  return { value: text.slice(0, start) + whole + text.slice(caret).trimStart(), caret: start + whole.length }
}
