import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Dialog } from '../ui/dialog.tsx'
import { showError } from '../ui/toast.tsx'
import { counted } from '../ui/units.ts'
import { type Command, commandsFor, fixedCommands, operations } from './commands.ts'
import { matching, nearestCommand } from './match.ts'
import './palette.css'

/** Finds and runs commands by their names (https://www.w3.org/WAI/ARIA/apg/patterns/combobox/). */
export function Palette({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const [typed, setTyped] = useState('')
  const [chosen, setChosen] = useState(0)
  const [possible, setPossible] = useState<readonly Command[]>([])
  const list = useRef<HTMLDivElement>(null)
  const id = useId()
  const fixed = useMemo(() => fixedCommands(onHelp), [])
  useEffect(() => {
    const closed = new AbortController()
    operations(closed.signal).then(setPossible, showError)
    return () => closed.abort()
  }, [])

  const all = [...fixed, ...possible]
  const { first, last } = commandsFor(typed)
  const found = matching(typed, all)
  const meant = found.length + first.length === 0 ? nearestCommand(typed, all) : undefined
  const offered = [...first, ...found, ...(meant ? [meant] : []), ...last]
  useLayoutEffect(() => list.current?.children[chosen]?.scrollIntoView({ block: 'nearest' }), [chosen])

  const run = async (command: Command | undefined) => {
    if (!command) return
    onClose()
    try {
      await command.run()
    } catch (error) {
      showError(error)
    }
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (move !== undefined) setChosen((chosen + move + offered.length) % Math.max(1, offered.length))
    else if (event.key === 'Enter') void run(offered[chosen])
    else return
    event.preventDefault()
  }
  return (
    <Dialog title="Commands" onClose={onClose}>
      <div class="palette">
        <input
          class="field"
          type="text"
          role="combobox"
          aria-label="Command"
          aria-expanded={true}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={offered.length > 0 ? `${id}-${chosen}` : undefined}
          placeholder="A screen, a command, a search, or the id or GUID of a delivery"
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          autofocus
          value={typed}
          onInput={({ currentTarget }) => {
            setTyped(currentTarget.value)
            setChosen(0)
          }}
          onKeyDown={onKeyDown}
        />
        <p class={`small soft ${found.length + first.length > 0 ? 'hidden-visually' : ''}`} role="status">
          {found.length + first.length > 0
            ? counted(offered.length, 'command', 'commands')
            : `No command has this name.${meant ? ` Did you mean “${meant.name}”?` : ''}`}
        </p>
        <div ref={list} id={`${id}-list`} role="listbox" aria-label="Commands">
          {offered.map((command, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the field has the focus and handles the keys
            <div
              key={`${command.name} ${command.hint}`}
              id={`${id}-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === chosen}
              // Keeps the focus in the field.
              onPointerDown={(event) => event.preventDefault()}
              onClick={() => void run(command)}
            >
              <span class="foreign">{command.name}</span> <span class="soft small foreign">{command.hint}</span>
            </div>
          ))}
        </div>
      </div>
    </Dialog>
  )
}
