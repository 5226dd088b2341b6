/**
 * Fairness between repositories, or between installations. Each ready task has a pass: the tasks of a handler are claimed
 * in the order of their passes. In one pass, each fair key has one task. So a repository with many tasks gets as many
 * passes, and the task of another repository waits at most for one pass.
 *
 * A task is ready if it is due and its `next_at` is 0. It gets its pass when it becomes ready: the one after the current
 * pass, or the one after the last task of its fair key. Retries count apart from new tasks, so that a retry does not wait
 * for all new deliveries of its repository. Two transactions that do not see each other's tasks may use a pass twice.
 */

/**
 * The pass of a task that becomes ready. It is 0 without a fair key: then the oldest task is claimed first.
 * @param task The name of a row with the columns of `tasks`.
 */
export const nextPass = (task: string): string => `
  case when ${task}.fair_key is null then 0 else 1 + greatest(
    coalesce((
      select pass from tasks as ready where ready.handler = ${task}.handler and ready.next_at = 0
      order by pass, delivery_id limit 1), -1),
    coalesce((
      select pass from tasks as ready
      where ready.handler = ${task}.handler and ready.fair_key = ${task}.fair_key and ready.state = ${task}.state
        and ready.next_at = 0
      order by pass desc limit 1), -1)) end`

/**
 * Makes tasks ready. Tasks with one fair key get successive passes, in order of receipt.
 * Parameters: the ids of their deliveries, and their handlers.
 */
export const makeReady: string = `
  with given as materialized (
    select tasks.ctid as row, tasks.*
    from unnest($1::bigint[], $2::text[]) as input (id, name)
    join tasks on tasks.delivery_id = input.id and tasks.handler = input.name
    where tasks.delivery_id = any($1)
  ), numbered as materialized (
    select row,
      case when fair_key is null then 0 else ${nextPass('given')}
        + row_number() over (partition by handler, fair_key, state order by delivery_id) - 1 end as pass
    from given
  )
  update tasks set next_at = 0, pass = numbered.pass
  from numbered
  where tasks.ctid = numbered.row
  returning tasks.delivery_id, tasks.handler, tasks.pass`
