import { Queue, Worker } from 'bullmq'

/** BullMQ with 25 jobs at a time, as many as hookserver. */
export default function bullmq({ target, handle }) {
  const connection = { path: target, maxRetriesPerRequest: null }
  const queue = new Queue('pushes', { connection })
  let worker
  return {
    async store(payloads) {
      await queue.addBulk(payloads.map((payload) => ({ name: 'push', data: JSON.parse(payload) })))
    },
    work() {
      worker = new Worker('pushes', async ({ data }) => handle(data), { connection, concurrency: 25 })
    },
    async unfinished() {
      const counts = await queue.getJobCounts('wait', 'active', 'delayed')
      return counts.wait + counts.active + counts.delayed
    },
    async close() {
      await worker?.close()
      await queue.close()
    },
  }
}
