import { useEffect, useState } from 'preact/hooks'
import { linkTo } from '../address.ts'
import { copy } from '../ui/copy.tsx'
import { Icon } from '../ui/icon.tsx'
import { plain } from '../ui/text.ts'
import { showError } from '../ui/toast.tsx'
import { count } from '../ui/units.ts'
import type { RowPath } from './protocol.ts'
import type { Reader } from './reader.ts'
import { TextDialog } from './text-dialog.tsx'

/** The path of the selected row, and its actions. */
export function PathBar({ reader, position, version }: { reader: Reader; position: number; version: number }) {
  const [here, setHere] = useState<RowPath>()
  const [isShown, setShown] = useState(false)
  useEffect(() => {
    let isStale = false
    reader.ask('rowPath', { position }).then(
      (answer) => isStale || setHere(answer),
      () => undefined, // the rows have changed, and a new request follows
    )
    return () => {
      isStale = true
    }
  }, [position, version])
  const copyValue = async () => {
    try {
      await copy(await reader.ask('json', { position }), 'the value')
    } catch (error) {
      showError(error)
    }
  }
  return (
    <div class="path-bar">
      <code class="path foreign" title={plain(here?.path ?? '', 1000)}>
        {plain(here?.searchPath ?? here?.path ?? '', 400)}
      </code>
      <button
        type="button"
        class="button slim"
        onClick={() => here && void copy(here.searchPath ?? here.path, 'the path')}
      >
        <Icon name="copy" />
        Copy path
      </button>
      <button type="button" class="button slim" onClick={() => void copyValue()}>
        <Icon name="copy" />
        Copy value
      </button>
      {here?.length !== undefined && (
        <button type="button" class="button slim" onClick={() => setShown(true)}>
          <Icon name="open" />
          Show full text ({count(here.length)} characters)
        </button>
      )}
      {here?.find !== undefined && (
        <a class="button slim" href={linkTo('deliveries', { q: here.find })}>
          <Icon name="search" />
          Find deliveries with this value
        </a>
      )}
      {isShown && (
        <TextDialog
          title={plain(here?.path ?? '', 80)}
          reader={reader}
          position={position}
          onClose={() => setShown(false)}
        />
      )}
    </div>
  )
}
