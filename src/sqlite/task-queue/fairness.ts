/**
 * Fairness between repositories, or between installations. Each ready task has a pass: the tasks of a handler are claimed
 * in the order of their passes. In one pass, each fair key has one task. So a repository with many tasks gets as many
 * passes, and the task of another repository waits at most for one pass.
 *
 * A task is ready if it is due and its `next_at` is 0. It gets its pass when it becomes ready: the one after the current
 * pass, or the one after the last task of its fair key. Retries count apart from new tasks, so that a retry does not wait
 * for all new deliveries of its repository.
 */

/**
 * The pass of a task that becomes ready. It is 0 without a fair key: then the oldest task is claimed first.
 * @param task SQL expressions, which the result repeats.
 */
export const nextPass = ({ handler, fairKey, state }: Record<'handler' | 'fairKey' | 'state', string>): string => `
  iif(${fairKey} is null, 0, 1 + max(
    coalesce((
      select pass from tasks as ready where ready.handler = ${handler} and ready.next_at = 0
      order by pass, delivery_id limit 1), -1),
    coalesce((
      select pass from tasks as ready
      where ready.handler = ${handler} and ready.fair_key = ${fairKey} and ready.state = ${state} and ready.next_at = 0
      order by pass desc limit 1), -1)))`

const updated = { handler: 'tasks.handler', fairKey: 'tasks.fair_key' }

/** The pass of the row that an update of `tasks` makes ready, without a change of its state. */
export const nextPassOfTask: string = nextPass({ ...updated, state: 'tasks.state' })

/** The pass of the row that an update of `tasks` makes ready and pending. */
export const nextPassOfPending: string = nextPass({ ...updated, state: "'pending'" })
