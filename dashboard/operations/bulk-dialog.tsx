import { useEffect, useRef, useState } from 'preact/hooks'
import type { DeliveryState, DeliverySummary } from '../../src/server/api/schemas/responses.ts'
import { sum } from '../statistics/totals.ts'
import { Dialog } from '../ui/dialog.tsx'
import { meaningOf, StateBadge } from '../ui/state.tsx'
import { plain } from '../ui/text.ts'
import { showError, showMessage } from '../ui/toast.tsx'
import { count, deliveries } from '../ui/units.ts'
import { byState, type Candidates, findAll } from './candidates.ts'
import { ReasonField } from './discard-question.tsx'
import { type OperationName, operations, resultText, runForAll } from './operations.ts'

/**
 * Shows how many deliveries an operation would change, by state. Runs the operation on request, until it ends or
 * the operator stops it.
 * @param chosen The selected deliveries. Default: all that match the search.
 */
export function BulkDialog(props: {
  act: OperationName
  text: string
  chosen: readonly DeliverySummary[] | undefined
  onClose: (isDone: boolean) => void
}) {
  const { act, text, chosen, onClose } = props
  const { concerns, first, verb, doing, passive } = operations[act]
  const [found, setFound] = useState<Candidates | undefined>(() => chosen && byState(chosen))
  const [looked, setLooked] = useState(0)
  const [wanted, setWanted] = useState<readonly DeliveryState[]>()
  const [through, setThrough] = useState<number>()
  const [reason, setReason] = useState('')
  const stopping = useRef(new AbortController())

  useEffect(() => {
    const { signal } = stopping.current
    const fail = (error: unknown) => {
      if (signal.aborted) return
      showError(error)
      onClose(false)
    }
    if (!found) findAll(text, signal, setLooked).then(setFound, fail)
    return () => stopping.current.abort()
  }, [])
  const possible = concerns.filter((state) => found?.[state])
  /** The states to preselect. If no delivery is in one of them, all possible states are preselected. */
  const usual = possible.filter((state) => first.includes(state))
  const states = wanted ?? (usual.length > 0 ? usual : possible)
  const ids = states.flatMap((state) => found?.[state] ?? []).toSorted((a, b) => a - b)
  const isRunning = through !== undefined
  const countOf = (some: readonly DeliveryState[]) => sum(some.map((state) => found?.[state]?.length ?? 0))
  const others = countOf(Object.keys(found ?? {}) as DeliveryState[]) - countOf(possible)
  const carryOut = async () => {
    setThrough(0)
    const { signal } = stopping.current
    const outcome = await runForAll(act, ids, { states, reason, signal, onProgress: setThrough })
    const tell = outcome.error ? showError : showMessage
    tell(resultText(act, outcome, ids.length))
    onClose(!outcome.error)
  }
  const cancel = () => {
    stopping.current.abort()
    if (!isRunning) onClose(false)
  }
  return (
    <Dialog title={`${verb} deliveries`} onClose={cancel}>
      <div class="body bulk-dialog">
        <p>
          {chosen ? `Selected: ${deliveries(chosen.length)}` : `All deliveries${text === '' ? '' : ' that match '}`}
          {!chosen && text !== '' && <code class="foreign">{plain(text, 1000)}</code>}
        </p>
        {!found && (
          <p role="status">
            Counting… {deliveries(looked)} so far
            <progress aria-label="Counting" />
          </p>
        )}
        {found && possible.length === 0 && <p>None of these deliveries can be {passive}.</p>}
        {found && possible.length > 0 && !isRunning && (
          <fieldset>
            <legend>{verb} deliveries in these states</legend>
            {possible.map((state) => (
              <label key={state}>
                <input
                  type="checkbox"
                  checked={states.includes(state)}
                  onChange={({ currentTarget }) =>
                    setWanted(currentTarget.checked ? [...states, state] : states.filter((one) => one !== state))
                  }
                />
                <StateBadge state={state} />
                <strong class="number">{count(countOf([state]))}</strong>
                <span class="soft small">{meaningOf(state)}</span>
              </label>
            ))}
          </fieldset>
        )}
        {possible.length > 0 && others > 0 && !isRunning && (
          <p class="soft small">
            {deliveries(others)} cannot be {passive} in {others === 1 ? 'its' : 'their'} present state.
          </p>
        )}
        {states.includes('done') && act === 'retry' && !isRunning && (
          <p class="note warn">For done deliveries, all handlers run again.</p>
        )}
        {act === 'discard' && possible.length > 0 && !isRunning && <ReasonField onInput={setReason} />}
        {isRunning && (
          <p role="status">
            {count(through)} of {deliveries(ids.length)}
            <progress value={through} max={ids.length} aria-label="Progress" />
          </p>
        )}
      </div>
      <div class="acts">
        <button type="button" class="button" onClick={cancel}>
          {isRunning ? 'Stop' : 'Cancel'}
        </button>
        {/* The button keeps its place and width, so that a second click does not stop the operation. */}
        <button
          type="button"
          class={`button ${act === 'discard' ? 'danger' : 'primary'}`}
          disabled={isRunning || ids.length === 0}
          onClick={() => void carryOut()}
        >
          {isRunning ? `${doing} ${deliveries(ids.length)}…` : `${verb} ${deliveries(ids.length)}`}
        </button>
      </div>
    </Dialog>
  )
}
