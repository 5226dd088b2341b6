import { useEffect, useRef, useState } from 'preact/hooks'
import { Icon } from '../ui/icon.tsx'
import { showError } from '../ui/toast.tsx'
import { count as written } from '../ui/units.ts'
import type { Reader } from './reader.ts'

/** Milliseconds without a key press before the search starts. */
const pause = 120

/** Searches names and values in a payload, and steps through the hits. */
export function TreeSearch(props: {
  reader: Reader
  onSearched: (text: string) => void
  onHit: (index: number) => void
}) {
  const { reader, onSearched, onHit } = props
  const [text, setText] = useState('')
  const [found, setFound] = useState<{ count: number; isCut: boolean }>()
  const [at, setAt] = useState(0)
  const isFirst = useRef(true)

  useEffect(() => {
    if (isFirst.current) {
      isFirst.current = false
      return
    }
    setFound(undefined)
    const timer = setTimeout(async () => {
      const answer = await reader.ask('search', { text }).catch(showError)
      if (!answer) return // a later search has started, or the request failed
      onSearched(text)
      setFound(answer)
      setAt(0)
      if (answer.count > 0) onHit(0)
    }, pause)
    return () => clearTimeout(timer)
  }, [text])
  const step = (by: number) => {
    if (!found || found.count === 0) return
    const next = (at + by + found.count) % found.count
    setAt(next)
    onHit(next)
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: <search> is newer than some browsers
    <div class="tree-search" role="search" aria-label="Search the payload">
      <span class="search-field">
        <Icon name="search" />
        <input
          type="search"
          class="field"
          aria-label="Search names and values"
          placeholder="Search names and values"
          value={text}
          spellcheck={false}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return
            event.preventDefault()
            step(event.shiftKey ? -1 : 1)
          }}
        />
      </span>
      <span class="hits number soft small" role="status">
        {text !== '' && hitsText(found, at)}
      </span>
      <StepButton label="Previous hit" isUp disabled={!found?.count} onClick={() => step(-1)} />
      <StepButton label="Next hit" disabled={!found?.count} onClick={() => step(1)} />
    </div>
  )
}

function hitsText(found: { count: number; isCut: boolean } | undefined, at: number): string {
  if (!found) return 'Searching…'
  if (found.count === 0) return 'no hits'
  return `${written(at + 1)} of ${written(found.count)}${found.isCut ? ' or more' : ''}`
}

function StepButton(props: { label: string; isUp?: boolean; disabled: boolean; onClick: () => void }) {
  const { label, isUp = false, disabled, onClick } = props
  return (
    <button
      type="button"
      class={`button plain slim ${isUp ? 'up' : ''}`}
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name="next" />
    </button>
  )
}
