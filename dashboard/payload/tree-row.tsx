import { Icon } from '../ui/icon.tsx'
import { plain } from '../ui/text.ts'
import { count, counted } from '../ui/units.ts'
import type { Row } from './row.ts'
import { textHeight } from './virtual-list.tsx'

/** A finger needs a higher row, as it needs a larger button. */
export const rowHeight = matchMedia('(pointer: coarse)').matches ? 44 : textHeight

/** Maximum indentation. Deeper rows show their level as a number. */
const maxIndents = 14

export function TreeRow(props: {
  id: string
  row: Row
  isActive: boolean
  pattern: RegExp | undefined
  onChoose: () => void
}) {
  const { id, row, isActive, pattern, onChoose } = props
  const { level, name, isIndex, kind, isOpen } = row
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree has the focus and handles the keys
    // biome-ignore lint/a11y/useFocusableInteractive: the tree has the focus, with aria-activedescendant
    <div
      id={id}
      class={`row ${isActive ? 'active' : ''}`}
      role="treeitem"
      aria-level={level}
      aria-setsize={row.of}
      aria-posinset={row.nth}
      aria-expanded={isOpen}
      aria-selected={isActive}
      style={{ height: `${rowHeight}px`, paddingLeft: `${4 + 14 * Math.min(level - 1, maxIndents)}px` }}
      onClick={onChoose}
    >
      <span class={`twist ${isOpen ? 'open' : ''}`}>{isOpen !== undefined && <Icon name="next" />}</span>
      {level > maxIndents && <span class="tag">{level}</span>}
      <span class={`name foreign ${isIndex ? 'soft' : ''}`}>
        <Marked text={name === '' ? '""' : plain(name)} pattern={isIndex ? undefined : pattern} />
      </span>
      <Value row={row} pattern={pattern} />
      {kind === 'string' && row.isCut && <span class="soft size">{count(row.size)} characters</span>}
    </div>
  )
}

function Value({ row: { kind, text, size }, pattern }: { row: Row; pattern: RegExp | undefined }) {
  if (kind === 'object' || kind === 'list') {
    return (
      <>
        <span class="soft size">
          {kind === 'object' ? `{ ${counted(size, 'member', 'members')} }` : `[ ${counted(size, 'item', 'items')} ]`}
        </span>
        {text !== '' && <span class="soft hint foreign">{plain(text)}</span>}
      </>
    )
  }
  return (
    <span class={`value foreign ${kind}`}>
      <Marked text={plain(text)} pattern={pattern} />
    </span>
  )
}

/** A text with the matches of the search marked. */
function Marked({ text, pattern }: { text: string; pattern: RegExp | undefined }) {
  if (!pattern) return <>{text}</>
  const parts: (string | preact.JSX.Element)[] = []
  let at = 0
  for (const { 0: hit, index } of text.matchAll(pattern)) {
    parts.push(text.slice(at, index), <mark>{hit}</mark>)
    at = index + hit.length
  }
  return <>{[...parts, text.slice(at)]}</>
}
