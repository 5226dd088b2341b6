import { useEffect, useRef, useState } from 'preact/hooks'
import type { DeliveryState, DeliverySummary } from '../../src/server/api/schemas/responses.ts'
import { sum } from '../statistics/totals.ts'
import { Dialog } from '../ui/dialog.tsx'
import { meaningOf, StateBadge } from '../ui/state.tsx'
import { plain } from '../ui/text.ts'
import { showError, showMessage } from '../ui/toast.tsx'
import { count, deliveries } from '../ui/units.ts'
import { type Candidates, candidatesOf, findAll } from './candidates.ts'
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
  /** Called before the dialog closes, if the operation did not fail. */
  onDone: () => void
  onClose: () => void
}) {
  const { act, text, chosen, onDone, onClose } = props
  const { concerns, first, verb, doing, passive } = operations[act]
  const [found, setFound] = useState<Candidates | undefined>(() => chosen && candidatesOf(chosen))
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
      onClose()
    }
    if (!found) findAll(text, signal, setLooked).then(setFound, fail)
    return () => stopping.current.abort()
  }, [])
  const { byState = {}, rest } = found ?? {}
  /** What precedes a number if more deliveries match than those counted. */
  const atLeast = rest ? 'more than ' : ''
  const possible = concerns.filter((state) => rest || byState[state])
  /** The states to preselect. If no delivery is in one of them, all possible states are preselected. */
  const usual = possible.filter((state) => first.includes(state))
  const states = wanted ?? (usual.length > 0 ? usual : possible)
  const isRunning = through !== undefined
  const countOf = (some: readonly DeliveryState[]) => sum(some.map((state) => byState[state]?.length ?? 0))
  const chosenCount = countOf(states)
  const others = countOf(Object.keys(byState) as DeliveryState[]) - countOf(possible)
  /** The deliveries that the operation changes, as in "Retry 3 deliveries". */
  const what = rest && chosenCount === 0 ? 'all that match' : atLeast + deliveries(chosenCount)
  const carryOut = async () => {
    if (!found) return
    setThrough(0)
    const { signal } = stopping.current
    const search = chosen ? undefined : text
    const outcome = await runForAll(act, found, { states, search, reason, signal, onProgress: setThrough })
    const tell = outcome.error ? showError : showMessage
    tell(resultText(act, outcome, rest ? undefined : chosenCount))
    if (!outcome.error) onDone()
    onClose()
  }
  const cancel = () => {
    stopping.current.abort()
    if (!isRunning) onClose()
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
                <strong class="number">
                  {count(countOf([state]))}
                  {rest && '+'}
                </strong>
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
            {count(through)} of {what}
            <progress {...(!rest && { value: through, max: chosenCount })} aria-label="Progress" />
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
          disabled={isRunning || states.length === 0 || (!rest && chosenCount === 0)}
          onClick={() => void carryOut()}
        >
          {!found ? 'Counting…' : isRunning ? `${doing} ${what}…` : `${verb} ${what}`}
        </button>
      </div>
    </Dialog>
  )
}
