import { failedTaskStates } from '../../inbox/failure-groups.ts'
import { hasNumber } from '../../inbox/normalize-error.ts'
import { likePattern } from '../../inbox/query/paging.ts'
import type { Expression, QueryFlag, Test } from '../../inbox/query/query.ts'
import { maxErrorLength } from '../../inbox/rows.ts'
import type { SqlValue } from '../connection/connection.ts'

/** A condition in SQL, with the values of its parameters. */
export interface Condition {
  sql: string
  values: SqlValue[]
}

/** The condition that a row of `deliveries` meets an expression. */
export function conditionOf(expression: Expression): Condition {
  if ('any' in expression) return joined(expression.any, ' or ', 'false')
  if ('all' in expression) return joined(expression.all, ' and ', 'true')
  if (!('not' in expression)) return conditionOfTest(expression)
  const { sql, values } = conditionOf(expression.not)
  return { sql: `(${sql}) is not true`, values } // true also for a column without a value
}

function joined(expressions: readonly Expression[], operator: string, ifNone: string): Condition {
  const conditions = expressions.map(conditionOf)
  const sql = conditions.map((one) => one.sql).join(operator) || ifNone
  return { sql: `(${sql})`, values: conditions.flatMap(({ values }) => values) }
}

function conditionOfTest(test: Test): Condition {
  if (test.column === 'flag') return { sql: flags[test.is], values: [] }
  if ('above' in test) return { sql: `${duration} > ?`, values: [test.above] }
  if ('below' in test) return { sql: `${duration} < ?`, values: [test.below] }
  if (test.column === 'error') return hasError(test.contains)
  if (test.column === 'word') return hasWord(test.contains)
  if ('contains' in test) return { sql: contains(test.column), values: [likePattern(test.contains)] }
  if ('startsWith' in test) {
    const { column, startsWith } = test
    return compared(column, (text) => `substr(${text}, 1, ?) = ?`, [[...startsWith].length, startsWith])
  }
  return compared(test.column, (text) => `${text} = ?`, [test.is])
}

/** A comparison of a column. For a column of the tasks, one of the tasks must meet it. */
function compared(column: string, compare: (text: string) => string, values: SqlValue[]): Condition {
  const isOfTasks = column === 'handler' || column === 'failure_group'
  return { sql: isOfTasks ? hasTask(compare(column)) : compare(`deliveries.${column}`), values }
}

/** The condition that a task of the delivery meets a condition. */
function hasTask(condition: string): string {
  return `exists (select 1 from tasks where delivery_id = deliveries.id and ${condition})`
}

const flags: Record<QueryFlag, string> = {
  conflict: 'variant > 0',
  replayed: 'replayed = 1',
  pulled: 'pulled = 1',
  gone: hasTask(`state = 'gone'`),
  retried: hasTask('attempt > 1'),
}

const duration = '(select sum(duration) from attempts where delivery_id = deliveries.id)'

/** The columns that a word may be in, joined to one text by a character that no word contains. */
const columns = 'concat_ws(char(10), event, action, repository, sender, title, ref, sha, guid, number)'
const mayHaveFailed = `deliveries.state in (${failedTaskStates.map((state) => `'${state}'`).join(', ')})`

/** The condition that a column, or the error of an unresolved failure, has a text. */
function hasWord(text: string): Condition {
  const error = hasError(text)
  const sql = `(${contains(columns)} or ${mayHaveFailed} and ${error.sql})`
  return { sql, values: [likePattern(text), ...error.values] }
}

/** Whether a text contains another one. Ignores the case of ASCII letters. */
export const contains = (text: string): string => `${text} like ? escape '\\'`

/** Whether numbers, ids or the like have been replaced in a normalized error. */
export const hasReplaced = (error: string): string => `${error} like '%<%'`

/** The condition that an unresolved failure has an error. */
function hasError(text: string): Condition {
  const pattern = likePattern(text)
  const inAttempt = `${hasReplaced('failure_groups.error')} and ${contains(latestError)}`
  const sql = `exists (
    select 1
    from tasks join failure_groups on failure_groups.id = tasks.failure_group
    where tasks.delivery_id = deliveries.id
      and (${contains('failure_groups.error')} ${hasNumber(text) ? `or ${inAttempt}` : ''}))`
  return { sql, values: hasNumber(text) ? [pattern, pattern] : [pattern] }
}

const latestError = `(
  select substr(error, 1, ${4 * maxErrorLength}) from attempts
  where delivery_id = tasks.delivery_id and handler = tasks.handler and outcome in ('failed', 'dead')
  order by number desc
  limit 1)`

/** A condition on the source of a delivery, with `sourcesParameter`. Empty if all sources match. */
export const hasSource = (sources?: readonly string[]): string =>
  sources ? ' and source in (select value from json_each(?))' : ''

export const sourcesParameter = (sources?: readonly string[]): string[] => (sources ? [JSON.stringify(sources)] : [])
