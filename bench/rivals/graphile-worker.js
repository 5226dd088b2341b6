import { Logger, makeWorkerUtils, run } from 'graphile-worker'

/**
 * graphile-worker with the settings of the figures in its documentation: a local queue, and results in batches. Its log
 * has a line for each job, so it is off.
 */
export default async function graphileWorker({ target, handle }) {
  const batching = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }
  const preset = {
    worker: {
      connectionString: target,
      concurrentJobs: 24,
      maxPoolSize: 25,
      ...batching,
      logger: new Logger(() => () => {}),
    },
  }
  const utils = await makeWorkerUtils({ preset })
  await utils.migrate()
  let runner
  return {
    async store(payloads) {
      await utils.addJobs(payloads.map((payload) => ({ identifier: 'push', payload: JSON.parse(payload) })))
    },
    async work() {
      runner = await run({ preset, taskList: { push: (payload) => handle(payload) } })
    },
    unfinished: () =>
      utils.withPgClient(async (client) => {
        const { rows } = await client.query('select count(*)::int as jobs from graphile_worker.jobs')
        return rows[0].jobs
      }),
    async close() {
      await runner?.stop()
      await utils.release()
    },
  }
}
