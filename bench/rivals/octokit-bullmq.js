import { createServer } from 'node:http'
import { createNodeMiddleware, Webhooks } from '@octokit/webhooks'
import { Queue } from 'bullmq'

/** @octokit/webhooks with BullMQ: each delivery becomes a job. It answers when Redis has confirmed the job. */
export default function octokitWithBullmq({ secret, path, target }) {
  const queue = new Queue('deliveries', { connection: { path: target } })
  const webhooks = new Webhooks({ secret })
  webhooks.onAny(async ({ id, name, payload }) => {
    await queue.add(name, payload, { jobId: id })
  })
  return createServer(createNodeMiddleware(webhooks, { path }))
}
