import { createServer } from 'node:http'
import { createNodeMiddleware, Webhooks } from '@octokit/webhooks'
import { PgBoss } from 'pg-boss'

/** @octokit/webhooks with pg-boss: each delivery becomes a job. It answers when PostgreSQL has committed the job. */
export default async function octokitWithPgBoss({ secret, path, target }) {
  const boss = new PgBoss(target)
  boss.on('error', console.error)
  await boss.start()
  await boss.createQueue('deliveries')
  const webhooks = new Webhooks({ secret })
  webhooks.onAny(async ({ id, name, payload }) => {
    await boss.send('deliveries', { id, name, payload })
  })
  return createServer(createNodeMiddleware(webhooks, { path }))
}
