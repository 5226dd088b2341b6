/**
 * Fairness between repositories, or between installations. Each ready task has a pass: the tasks of a handler are claimed
 * in the order of their passes. In one pass, each fair key has one task. So a repository with many tasks gets as many
 * passes, and the task of another repository waits at most for one pass.
 *
 * A task is ready if it is due and its `next_at` is 0. It gets its pass when it becomes ready: the one after the current
 * pass, which is the lowest one above 0 of the ready tasks, or the one after the last task of its fair key. Retries count
 * apart from new tasks, so that a retry does not wait for all new deliveries of its repository. Two transactions that do
 * not see each other's tasks may use a pass twice.
 *
 * Pass 0 is first, and is never the current pass. It is for tasks without a fair key, and for released tasks, which have
 * had their turn.
 */

/**
 * For `with`: the query `passes` adds the column `pass` to tasks. Tasks with one fair key get successive passes, in order
 * of receipt. The current pass is looked up once for each handler, because this search may read many dead entries of the
 * index, and the last pass once for each fair key. There is no join, because PostgreSQL would expect one row, and compare
 * each task with each other one.
 * @param tasks The name of a query with the columns `delivery_id`, `handler`, `fair_key`, `state`, and `ready`: whether
 *   the task becomes ready.
 */
export const passesOf = (tasks: string): string => `
  numbered as (
    select *, row_number() over (partition by handler, ready) as place,
      row_number() over (partition by handler, fair_key, state, ready order by delivery_id) as number
    from ${tasks}
  ), searched as materialized (
    select *,
      case when ready and place = 1 then (
        select pass from tasks as other
        where other.handler = numbered.handler and other.next_at = 0 and other.pass > 0
        order by pass, delivery_id limit 1) end as current_pass,
      case when ready and number = 1 then (
        select pass from tasks as other
        where other.handler = numbered.handler and other.fair_key = numbered.fair_key and other.state = numbered.state
          and other.next_at = 0
        order by pass desc limit 1) end as last_pass
    from numbered
  ), passes as materialized (
    select *,
      case when ready and fair_key is not null
        then number + greatest(0, max(current_pass) over (partition by handler),
          max(last_pass) over (partition by handler, fair_key, state))
        else 0 end as pass
    from searched
  )`

/** Makes unfinished tasks ready. Parameters: the ids of their deliveries, and their handlers. */
export const makeReady: string = `
  with given as materialized (
    select tasks.ctid as row, tasks.delivery_id, tasks.handler, tasks.fair_key, tasks.state, true as ready
    from unnest($1::bigint[], $2::text[]) as input (id, name)
    join tasks on tasks.delivery_id = input.id and tasks.handler = input.name
    where tasks.delivery_id = any($1) and tasks.state in ('pending', 'retrying')
  ), ${passesOf('given')}
  update tasks set next_at = 0, delay = null, pass = passes.pass
  from passes
  where tasks.ctid = any(array(select row from given)) and tasks.ctid = passes.row
  returning tasks.delivery_id, tasks.handler, tasks.pass`
