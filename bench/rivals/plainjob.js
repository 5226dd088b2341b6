import { Database } from 'bun:sqlite'
import { bun, defineQueue, defineWorker, JobStatus } from 'plainjob'

const silent = { error: console.error, warn() {}, info() {}, debug() {} }

/** plainjob with one worker. Its log contains each job, so only errors are logged. */
export default function plainjob({ target, handle }) {
  const connection = bun(new Database(target, { strict: true }))
  const queue = defineQueue({ connection, logger: silent, serializer: (payload) => payload })
  const worker = defineWorker('push', async ({ data }) => handle(JSON.parse(data)), { queue, logger: silent })
  const count = (status) => queue.countJobs({ type: 'push', status })
  return {
    async store(payloads) {
      queue.addMany('push', payloads)
    },
    work: () => void worker.start(),
    unfinished: () => count(JobStatus.Pending) + count(JobStatus.Processing),
    async close() {
      await worker.stop()
      queue.close()
    },
  }
}
