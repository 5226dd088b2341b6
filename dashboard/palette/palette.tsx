import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Dialog } from '../ui/dialog.tsx'
import { showError } from '../ui/toast.tsx'
import { counted } from '../ui/units.ts'
import { commandsFor, fixedCommands, serverCommands } from './commands.ts'
import { matching, nearestCommand } from './match.ts'
import { type Command, screenCommands } from './screen-commands.ts'
import './palette.css'

/** Finds and runs commands by their names (https://www.w3.org/WAI/ARIA/apg/patterns/combobox/). */
export function Palette({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const [typed, setTyped] = useState('')
  /** The name of the chosen command: its index changes when more commands arrive. `undefined`: the first command. */
  const [choice, setChoice] = useState<string>()
  /** The name of the first command that has the typed text. */
  const firstFound = useRef<string>(undefined)
  const [possible, setPossible] = useState<readonly Command[]>([])
  const list = useRef<HTMLDivElement>(null)
  const id = useId()
  const fixed = useMemo(() => [...fixedCommands(onHelp), ...screenCommands()], [])
  useEffect(() => {
    const closed = new AbortController()
    const add = (commands: readonly Command[]) => {
      // The operator may be about to press Enter, so the shown choice stays.
      setChoice((before) => before ?? firstFound.current)
      setPossible(commands)
    }
    serverCommands(closed.signal).then(add, showError)
    return () => closed.abort()
  }, [])

  const all = [...fixed, ...possible]
  const { first, last } = commandsFor(typed)
  const found = matching(typed, all)
  const meant = found.length + first.length === 0 ? nearestCommand(typed, all) : undefined
  const offered = [...first, ...found, ...(meant ? [meant] : []), ...last]
  const chosen = Math.max(
    0,
    offered.findIndex((command) => nameOf(command) === choice),
  )
  firstFound.current = found.length + first.length > 0 && offered[0] ? nameOf(offered[0]) : undefined
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
    const next = move === undefined ? undefined : offered.at((chosen + move) % offered.length)
    if (next) setChoice(nameOf(next))
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
            setChoice(undefined)
          }}
          onKeyDown={onKeyDown}
        />
        <p class={`small soft ${found.length + first.length > 0 ? 'hidden-visually' : ''}`} role="status">
          {found.length + first.length > 0
            ? counted(offered.length, 'command', 'commands')
            : `No command has this name.${meant ? ` Did you mean “${meant.name}”?` : ''}`}
        </p>
        <div ref={list} id={`${id}-list`} role="listbox" tabIndex={-1} aria-label="Commands">
          {offered.map((command, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the field has the focus and handles the keys
            <div
              key={nameOf(command)}
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

/** The name with the hint, because a saved search may have the name of another command. */
const nameOf = ({ name, hint }: Command): string => `${name} ${hint}`
