import { failedTaskStates } from '../../inbox/failure-groups.ts'
import { hasNumber } from '../../inbox/normalize-error.ts'
import { likePattern } from '../../inbox/query/paging.ts'
import type { Expression, Query, QueryFlag, Test } from '../../inbox/query/query.ts'
import { maxErrorLength } from '../../inbox/rows.ts'
import { state } from './states.ts'

/** Adds a value to the parameters of a statement. @returns its placeholder, such as `$3`. */
export type AddParameter = (value: unknown) => string

/** The condition in SQL that a row of `deliveries` meets all expressions, and the limits of the time of receipt. */
export function conditionsOf(expressions: readonly Expression[], { since, until }: Query, $: AddParameter): string[] {
  const conditions = expressions.map((one) => conditionOf(one, $))
  if (since !== undefined) conditions.push(`received_at >= ${$(since)}::numeric`)
  if (until !== undefined) conditions.push(`received_at < ${$(until)}::numeric`)
  return conditions
}

function conditionOf(expression: Expression, $: AddParameter): string {
  const all = (expressions: readonly Expression[]) => expressions.map((one) => conditionOf(one, $))
  if ('any' in expression) return `(${all(expression.any).join(' or ') || 'false'})`
  if ('all' in expression) return `(${all(expression.all).join(' and ') || 'true'})`
  // `is not true` holds also for a column without a value.
  return 'not' in expression ? `(${conditionOf(expression.not, $)}) is not true` : conditionOfTest(expression, $)
}

function conditionOfTest(test: Test, $: AddParameter): string {
  if (test.column === 'flag') return flags[test.is]
  if ('above' in test) return `${duration} > ${$(test.above)}::numeric`
  if ('below' in test) return `${duration} < ${$(test.below)}::numeric`
  if ('contains' in test) {
    const pattern = `${$(likePattern(test.contains))}::text`
    if (test.column === 'title') return contains('title', pattern)
    return test.column === 'error' ? hasError(test.contains, pattern) : hasWord(test.contains, pattern)
  }
  if (test.column === 'number') return `number = ${$(test.is)}::numeric`
  if (test.column === 'failure_group') return hasTask(`failure_group = ${$(test.is)}::bigint`)
  const { column } = test
  if ('startsWith' in test) return compared(column, (text) => `starts_with(${text}, ${$(test.startsWith)}::text)`)
  return compared(column, (text) => `${text} = ${$(test.is)}::text`)
}

/** A comparison of a column. For the handler, one of the tasks must meet it. */
function compared(column: string, compare: (text: string) => string): string {
  if (column === 'handler') return hasTask(compare('handler'))
  return compare(column === 'state' ? state : `deliveries.${column}`)
}

/**
 * The condition that a task of the delivery meets a condition. PostgreSQL builds the array for each delivery. With
 * `exists` instead, it might hash the tasks of all deliveries.
 */
function hasTask(condition: string): string {
  return `array(select 1 from tasks where delivery_id = deliveries.id and ${condition}) <> '{}'`
}

const flags: Record<QueryFlag, string> = {
  conflict: 'variant > 0',
  replayed: 'replayed',
  pulled: 'pulled',
  gone: hasTask(`state = 'gone'`),
  retried: hasTask('attempt > 1'),
}

const duration = '(select sum(duration) from attempts where delivery_id = deliveries.id)'

/** The columns that a word may be in, joined to one text by a character that no word contains. */
const columns = `concat_ws(e'\\n', event, action, repository, sender, title, ref, sha, guid, number)`

/** An unresolved failure has written one of these states, also if a task runs. */
const mayHaveFailed = `deliveries.state in (${failedTaskStates.map((state) => `'${state}'`).join(', ')})`

/** Whether a column, or the error of an unresolved failure, has a text. */
function hasWord(text: string, pattern: string): string {
  return `(${contains(columns, pattern)} or ${mayHaveFailed} and ${hasError(text, pattern)})`
}

/** Ignores the case of ASCII letters. */
export const contains = (text: string, pattern: string): string => `${text} collate "C" ilike ${pattern}`

/** Whether numbers, ids or the like have been replaced in a normalized error. */
export const hasReplaced = (error: string): string => `${error} like '%<%'`

/** Whether an unresolved failure has an error. PostgreSQL builds the array for each delivery, as for a handler. */
function hasError(text: string, pattern: string): string {
  const inAttempt = `${hasReplaced(groupError)} and ${contains(latestError, pattern)}`
  return `array(
    select 1 from tasks
    where delivery_id = deliveries.id
      and (${contains(groupError, pattern)} ${hasNumber(text) ? `or ${inAttempt}` : ''})) <> '{}'`
}

const groupError = '(select error from failure_groups where id = tasks.failure_group)'

const latestError = `(
  select left(error, ${4 * maxErrorLength}) from attempts
  where delivery_id = tasks.delivery_id and handler = tasks.handler and outcome in ('failed', 'dead')
  order by number desc
  limit 1)`

/** No id is larger. */
export const latest = '9007199254740991'

/**
 * The condition that a column has a value and `id` is at most `last`, as a range of the index on the column and `id`.
 * @param id The column of the ids of deliveries.
 *
 * We choose the index, because PostgreSQL may choose a slow one: for `state = 'dead' … order by id desc`, it may walk
 * down the whole primary key. For a range of the pair `(state, id)`, in the order of the pair, PostgreSQL can use only
 * the index on both columns. PostgreSQL also overestimates the number of rows in such a range, which helps here: it
 * then expects that fetching and sorting the whole range takes long. So it reads the first rows in the order of the
 * index.
 */
export function rangeOf(column: string, value: string, last: string, id = 'id'): string {
  return `(${column}, ${id}) >= (${value}, 0) and (${column}, ${id}) <= (${value}, ${last})`
}
