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
 * For `with`: the passes of tasks that become ready. Tasks with one fair key get successive passes, in order of receipt.
 * `passes` has no row for a task without a fair key. The current pass is looked up once for each handler, because
 * that search may read many dead entries of the index.
 * @param tasks The name of a query with the columns `delivery_id`, `handler`, `fair_key` and `state`.
 */
export const passesOf = (tasks: string): string => `
  current_passes as materialized (
    select handler, (
      select pass from tasks as ready
      where ready.handler = handlers.handler and ready.next_at = 0 and ready.pass > 0
      order by pass, delivery_id limit 1) as pass
    from (select distinct handler from ${tasks} where fair_key is not null) as handlers
  ), last_passes as materialized (
    select handler, fair_key, state, greatest(0, current_passes.pass, (
      select pass from tasks as ready
      where ready.handler = keys.handler and ready.fair_key = keys.fair_key and ready.state = keys.state
        and ready.next_at = 0
      order by pass desc limit 1)) as pass
    from (select distinct handler, fair_key, state from ${tasks} where fair_key is not null) as keys
    join current_passes using (handler)
  ), passes as materialized (
    select delivery_id, handler,
      last_passes.pass + row_number() over (partition by handler, fair_key, state order by delivery_id) as pass
    from ${tasks} join last_passes using (handler, fair_key, state)
  )`

/** Makes unfinished tasks ready. Parameters: the ids of their deliveries, and their handlers. */
export const makeReady: string = `
  with given as materialized (
    select tasks.ctid as row, tasks.delivery_id, tasks.handler, tasks.fair_key, tasks.state
    from unnest($1::bigint[], $2::text[]) as input (id, name)
    join tasks on tasks.delivery_id = input.id and tasks.handler = input.name
    where tasks.delivery_id = any($1) and tasks.state in ('pending', 'retrying')
  ), ${passesOf('given')}
  update tasks set next_at = 0, delay = null, pass = coalesce(passes.pass, 0)
  from given left join passes using (delivery_id, handler)
  where tasks.ctid = given.row
  returning tasks.delivery_id, tasks.handler, tasks.pass`
