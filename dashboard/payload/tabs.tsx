import { useRef } from 'preact/hooks'

/** Switches between views of the same content (the ARIA pattern "Tabs"). */
export function Tabs<Name extends string>(props: {
  label: string
  tabs: readonly (readonly [name: Name, text: string])[]
  chosen: Name
  /** The id of the content. */
  panel: string
  onChoose: (name: Name) => void
}) {
  const { label, tabs, chosen, panel, onChoose } = props
  const list = useRef<HTMLDivElement>(null)
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (by === undefined) return
    event.preventDefault()
    const next = (tabs.findIndex(([name]) => name === chosen) + by + tabs.length) % tabs.length
    const [name] = tabs[next] as readonly [Name, string]
    onChoose(name)
    list.current?.querySelectorAll('button')[next]?.focus()
  }
  return (
    <div ref={list} class="tabs" role="tablist" aria-label={label} onKeyDown={onKeyDown}>
      {tabs.map(([name, text]) => (
        <button
          key={name}
          type="button"
          role="tab"
          class="button plain slim"
          aria-selected={name === chosen}
          aria-controls={panel}
          tabIndex={name === chosen ? 0 : -1}
          onClick={() => onChoose(name)}
        >
          {text}
        </button>
      ))}
    </div>
  )
}
