import { useId, useRef, useState } from 'preact/hooks'
import { Icon } from '../ui/icon.tsx'
import { showError } from '../ui/toast.tsx'
import { count as written } from '../ui/units.ts'
import { patternOf } from './find.ts'
import { PathBar } from './path-bar.tsx'
import { treeKeys } from './protocol.ts'
import type { Reader } from './reader.ts'
import type { Row } from './row.ts'
import { rowHeight, TreeRow } from './tree-row.tsx'
import { TreeSearch } from './tree-search.tsx'
import { VirtualList } from './virtual-list.tsx'
import './tree-view.css'

/** Levels to which the menu expands the tree. */
const levels = [1, 2, 3, 4, Number.MAX_SAFE_INTEGER] as const

/** A payload as a tree for mouse, touch and keyboard (the ARIA pattern "Tree View"). */
export function TreeView({ reader, rows: atFirst }: { reader: Reader; rows: number }) {
  const [rows, setRows] = useState(atFirst)
  const [version, setVersion] = useState(0)
  const [active, setActive] = useState(0)
  const [searched, setSearched] = useState('')
  const [note, setNote] = useState('')
  const id = useId()
  const at = useRef(0)
  const last = useRef<Promise<unknown>>(Promise.resolve())
  /** Runs the requests of keys and clicks in order, since each depends on the result of the one before. */
  const act = (ask: (position: number) => Promise<{ rows: number; position?: number }>) => {
    last.current = last.current
      .then(() => ask(at.current))
      .then((answer) => {
        at.current = answer.position ?? at.current
        setActive(at.current)
        setRows(answer.rows)
        setVersion((before) => before + 1)
      })
      .catch(showError)
  }
  const openTo = (level: number) =>
    act(async () => {
      const { rows, isCut } = await reader.ask('openTo', { level })
      const cut = 'This payload has too many objects to expand them all. Those nearest to the root are expanded.'
      setNote(isCut ? cut : '')
      return { rows, position: 0 }
    })
  const choose = (position: number) => act(async () => ({ ...(await reader.ask('toggle', { position })), position }))
  const onKeyDown = (event: KeyboardEvent) => {
    const key = treeKeys.find((one) => one === event.key)
    if (!key || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    const page = Math.max(1, Math.floor(((event.currentTarget as HTMLElement).clientHeight ?? 0) / rowHeight) - 1)
    act((position) => reader.ask('press', { position, key, page }))
  }
  const load = (from: number, count: number) => reader.ask('rows', { from, count })
  const pattern = searched === '' ? undefined : patternOf(searched, 'giu')
  return (
    <div class="tree-view">
      <div class="tools">
        <TreeSearch
          reader={reader}
          onSearched={setSearched}
          onHit={(index) => act(() => reader.ask('hit', { index }))}
        />
        <label class="soft small">
          Expand to level{' '}
          <select
            class="field"
            value=""
            onChange={({ currentTarget }) => {
              openTo(Number(currentTarget.value))
              currentTarget.value = ''
            }}
          >
            <option value="" disabled>
              –
            </option>
            {levels.map((level) => (
              <option key={level} value={level}>
                {level > 4 ? 'all' : level}
              </option>
            ))}
          </select>
        </label>
      </div>
      {note !== '' && (
        <p class="note small" role="status">
          <Icon name="warning" />
          {note}
        </p>
      )}
      <VirtualList
        label={`Payload, ${written(rows)} rows`}
        role="tree"
        class="tree"
        count={rows}
        rowHeight={rowHeight}
        target={active}
        activeId={`${id}-${active}`}
        version={version}
        load={load}
        onKeyDown={onKeyDown}
      >
        {(row: Row) => (
          <TreeRow
            key={row.position}
            id={`${id}-${row.position}`}
            row={row}
            isActive={row.position === active}
            pattern={pattern}
            onChoose={() => choose(row.position)}
          />
        )}
      </VirtualList>
      <PathBar reader={reader} position={active} version={version} />
    </div>
  )
}
