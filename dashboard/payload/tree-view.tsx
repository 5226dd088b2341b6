import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { Icon } from '../ui/icon.tsx'
import { complain } from '../ui/toast.tsx'
import { count as written } from '../ui/units.ts'
import { patternOf } from './find.ts'
import type { Reader } from './reader.ts'
import type { Row } from './row.ts'
import { TreeRow } from './tree-row.tsx'
import { TreeSearch } from './tree-search.tsx'
import { rowHeight, VirtualList } from './virtual-list.tsx'
import { WhereaboutsBar } from './whereabouts-bar.tsx'
import './tree-view.css'

/** Levels that a tree can be opened to at once. */
const levels = [1, 2, 3, 4, Number.MAX_SAFE_INTEGER] as const

/** A payload as a tree, to look around in by mouse, finger and keys (ARIA's pattern "Tree View"). */
export function TreeView({ reader, rows: atFirst }: { reader: Reader; rows: number }) {
  const [rows, setRows] = useState(atFirst)
  const [version, setVersion] = useState(0)
  const [active, setActive] = useState(0)
  const [searched, setSearched] = useState('')
  const [note, setNote] = useState('')
  const drawn = useRef(new Map<number, Row>())
  const id = useId()
  const list = useRef<HTMLDivElement>(null)

  const changed = (answer: { rows: number }) => {
    setRows(answer.rows)
    setVersion((before) => before + 1)
  }
  const toggle = (position: number) => reader.ask('toggle', { position }).then(changed, complain)
  const goTo = (position: number) => setActive(Math.max(0, Math.min(rows - 1, position)))
  const openTo = async (level: number) => {
    const { isCut, ...answer } = await reader.ask('openTo', { level })
    setNote(
      isCut ? 'There are too many objects in it to open them all: those that are nearest to the top are open.' : '',
    )
    setActive(0)
    changed(answer)
  }
  const showHit = async (index: number) => {
    const { position, ...answer } = await reader.ask('hit', { index })
    changed(answer)
    setActive(position)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const row = drawn.current.get(active)
    const page = Math.max(1, Math.floor((list.current?.clientHeight ?? 400) / rowHeight) - 3)
    const acts: Readonly<Record<string, () => void>> = {
      ArrowDown: () => goTo(active + 1),
      ArrowUp: () => goTo(active - 1),
      PageDown: () => goTo(active + page),
      PageUp: () => goTo(active - page),
      Home: () => goTo(0),
      End: () => goTo(rows - 1),
      Enter: () => row?.isOpen !== undefined && void toggle(active),
      ' ': () => row?.isOpen !== undefined && void toggle(active),
      ArrowRight: () => {
        if (row?.isOpen) goTo(active + 1)
        else if (row?.isOpen === false) void toggle(active)
      },
      ArrowLeft: () => {
        if (row?.isOpen) void toggle(active)
        else reader.ask('parent', { position: active }).then((parent) => parent >= 0 && goTo(parent), complain)
      },
    }
    const act = Object.hasOwn(acts, event.key) ? acts[event.key] : undefined
    if (!act) return
    event.preventDefault()
    act()
  }
  const load = async (from: number, count: number) => {
    const answer = await reader.ask('rows', { from, count })
    drawn.current = new Map(answer.map((row) => [row.position, row]))
    return answer
  }
  useEffect(() => {
    if (active >= rows) setActive(rows - 1)
  }, [rows])
  const pattern = searched === '' ? undefined : patternOf(searched, 'giu')
  return (
    <div class="tree-view" ref={list}>
      <div class="tools">
        <TreeSearch reader={reader} onSearched={setSearched} onHit={(index) => void showHit(index).catch(complain)} />
        <label class="soft small">
          Open to{' '}
          <select
            class="field"
            value=""
            onChange={({ currentTarget }) => {
              void openTo(Number(currentTarget.value)).catch(complain)
              currentTarget.value = ''
            }}
          >
            <option value="" disabled>
              level…
            </option>
            {levels.map((level) => (
              <option key={level} value={level}>
                {level > 4 ? 'all levels' : `level ${level}`}
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
            onChoose={() => {
              setActive(row.position)
              if (row.isOpen !== undefined) void toggle(row.position)
            }}
          />
        )}
      </VirtualList>
      <WhereaboutsBar reader={reader} position={active} version={version} />
    </div>
  )
}
