import type { Signal } from '@preact/signals'
import { useState } from 'preact/hooks'
import type { DeliverySummary } from '../../src/server/api/schemas/responses.ts'
import { useCommands } from '../palette/screen-commands.ts'
import { comparisonLink } from '../payload/compare-with.tsx'
import { mayAct } from '../session/session.ts'
import { Icon } from '../ui/icon.tsx'
import { lazyDialog } from '../ui/lazy.tsx'
import { count } from '../ui/units.ts'
import type { OperationName } from './operations.ts'

const BulkDialog = lazyDialog('Deliveries', async () => (await import('./bulk-dialog.tsx')).BulkDialog)

/** The deliveries of the dialog: those when it was opened, because the list goes on to change behind it. */
interface OpenDialog {
  act: OperationName
  text: string
  chosen: readonly DeliverySummary[] | undefined
}

/** Buttons for the selected deliveries, or for all that match the search. Without such deliveries, only the open dialog. */
export function BulkButtons(props: {
  text: string
  rows: readonly DeliverySummary[]
  selected: Signal<ReadonlySet<number>>
  /** How many deliveries match the search, if known. */
  matching: number | undefined
}) {
  const { text, rows, selected, matching } = props
  const [dialog, setDialog] = useState<OpenDialog>()
  const chosenRows = rows.filter(({ id }) => selected.value.has(id))
  const chosen = chosenRows.length
  const all = matching !== undefined ? `all ${count(matching)}` : text === '' ? 'all' : 'all that match'
  const isEmpty = chosen === 0 && (rows.length === 0 || matching === 0)
  const what = chosen > 0 ? `${count(chosen)} selected` : all
  const open = (act: OperationName) => setDialog({ act, text, chosen: chosen > 0 ? chosenRows : undefined })
  const acts = [
    { label: `Retry ${what}…`, icon: 'again', run: () => open('retry') } as const,
    ...(chosen > 0 || text !== ''
      ? [{ label: `Discard ${what}…`, icon: 'bin', run: () => open('discard') } as const]
      : []),
  ]
  useCommands(
    mayAct.value && !isEmpty ? acts.map(({ label: name, run }) => ({ name, hint: 'deliveries of the list', run })) : [],
  )
  if (!mayAct.value) return null
  return (
    <>
      {!isEmpty && (
        <div class="bulk">
          {acts.map(({ label, icon, run }) => (
            <button key={icon} type="button" class="button slim" onClick={run}>
              <Icon name={icon} />
              {label}
            </button>
          ))}
          {chosenRows[0] && chosenRows[1] && chosen === 2 && (
            <a class="button slim" href={comparisonLink(chosenRows[0].id, chosenRows[1].id)}>
              Compare
            </a>
          )}
          {chosen > 0 && (
            <button type="button" class="button plain slim" onClick={() => (selected.value = new Set())}>
              Clear selection
            </button>
          )}
        </div>
      )}
      {dialog && (
        <BulkDialog {...dialog} onDone={() => (selected.value = new Set())} onClose={() => setDialog(undefined)} />
      )}
    </>
  )
}
