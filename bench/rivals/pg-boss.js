import { PgBoss } from 'pg-boss'

/** pg-boss with batches of 2,000 jobs. It fetches the next batch at once while batches are full. */
export default async function pgBoss({ target, handle }) {
  const boss = new PgBoss(target)
  boss.on('error', console.error)
  await boss.start()
  await boss.createQueue('push')
  return {
    async store(payloads) {
      await boss.insert(
        'push',
        payloads.map((payload) => ({ data: JSON.parse(payload) })),
      )
    },
    async work() {
      await boss.work('push', { batchSize: 2000, burstWhenBatchFull: true }, async (jobs) => {
        for (const { data } of jobs) handle(data)
      })
    },
    async unfinished() {
      const { rows } = await boss
        .getDb()
        .executeSql("select count(*)::int as jobs from pgboss.job where name = 'push' and state < 'completed'")
      return rows[0].jobs
    },
    close: () => boss.stop(),
  }
}
