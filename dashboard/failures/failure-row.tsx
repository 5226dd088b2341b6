import type { FailureGroup } from '../../src/server/api/schemas/responses.ts'
import { linkTo } from '../address.ts'
import { Sparkline } from '../statistics/sparkline.tsx'
import { sum } from '../statistics/totals.ts'
import { StateBadge } from '../ui/state.tsx'
import { plain } from '../ui/text.ts'
import { Ago } from '../ui/time.tsx'
import { count } from '../ui/units.ts'
import { FailureButtons } from './failure-buttons.tsx'

/** A failure group. Its link covers the error, and the buttons change all of its tasks. */
export function FailureRow({ failure, onDone }: { failure: FailureGroup; onDone: () => void }) {
  const { id, handler, error, firstAt, lastAt, repositories } = failure
  return (
    <tr>
      <td class="failure">
        <span class="foreign soft">{plain(handler, 120)}</span> <Returned failure={failure} />
        <a class="open foreign" href={linkTo(`failures/${id}`)}>
          {plain(error)}
        </a>
        <FailureButtons failure={failure} slim onDone={onDone} />
      </td>
      <td class="tasks">
        <TaskCounts tasks={failure.tasks} />
      </td>
      <td class="last">
        <Hours hours={failure.hours} />
      </td>
      <td class="first">
        <span class="soft">first</span> <Ago at={firstAt} />
        <br />
        <span class="soft">last</span> <Ago at={lastAt} />
      </td>
      <td class="repositories">
        {repositories.map(({ repository, count: number }) => (
          <div key={repository} class="foreign">
            {plain(repository, 140)} <span class="number soft">{count(number)}</span>
          </div>
        ))}
      </td>
    </tr>
  )
}

/** Says that a group was resolved before. */
export function Returned({ failure: { returnedAt } }: { failure: FailureGroup }) {
  if (returnedAt === undefined) return null
  return (
    <span class="tag returned">
      returned <Ago at={returnedAt} />
    </span>
  )
}

/** The numbers of tasks in the states in which there are any. */
export function TaskCounts({ tasks }: Pick<FailureGroup, 'tasks'>) {
  return (
    <>
      {(['dead', 'retrying', 'running', 'pending'] as const).map(
        (state) =>
          tasks[state] > 0 && (
            <div key={state}>
              <span class="number">{count(tasks[state])}</span> <StateBadge state={state} />
            </div>
          ),
      )}
    </>
  )
}

/** The failed attempts of each of the last 24 hours, as a chart and in words. */
export function Hours({ hours }: Pick<FailureGroup, 'hours'>) {
  const total = sum(hours)
  return (
    <>
      <Sparkline counts={hours} />
      <span class="soft small">
        <span class="number">{count(total)}</span> {total === 1 ? 'failed attempt' : 'failed attempts'}
      </span>
    </>
  )
}
