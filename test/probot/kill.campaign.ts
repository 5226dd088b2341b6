/** A Probot app on `hookserver serve` with an inbox loses no delivery when its process is killed. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Random } from '../campaign/random.ts'
import { seedOf } from '../campaign/seed.ts'
import { databaseServer } from '../postgres/databases.ts'
import { anyOrigin, project, ServedProcess, secret } from '../server/service.ts'
import { privateKey, send } from './scene.ts'

const server = databaseServer()
const token = 'an-admin-token-of-the-tests'
const env = {
  ...{ APP_ID: '1', PRIVATE_KEY: privateKey.replaceAll('\n', '\\n'), WEBHOOK_SECRET: secret },
  HOOKSERVER_ADMIN_TOKEN: token,
}

/** Two listeners. Each records the deliveries that it has handled. */
const app = `
  import { appendFileSync } from 'node:fs'
  import { setTimeout } from 'node:timers/promises'
  export default (app) => {
    for (const name of ['first', 'second']) {
      app.on('push', { name, backoff: '50ms' }, async ({ id }) => {
        await setTimeout(20)
        appendFileSync(name + '.txt', id + '\\n')
      })
    }
  }`

const [count, senders, kills] = [500, 10, 3]

describe('kill -9 in the middle of 500 deliveries loses nothing', () => {
  test.each(['SQLite', 'PostgreSQL'])('with an inbox on %s', { timeout: 300_000 }, async (store) => {
    const random = new Random(seedOf('Probot', 1))
    const folder = project({ 'index.mjs': app })
    const database = store === 'SQLite' ? 'inbox.db' : await server.create()
    const start = () => new ServedProcess(folder, ['index.mjs', '--database', database, ...anyOrigin], env)
    let served = start()
    let acknowledged = 0
    const killAt = Array.from({ length: kills }, (_, index) => {
      return Math.round(((index + 0.6 + 0.8 * random.next()) * count) / (kills + 1))
    })

    const deliver = async (guid: string): Promise<void> => {
      for (;;) {
        const answer = await served
          .url()
          .then((url) => send(url, 'push', guid, secret))
          .catch(() => undefined) // the process was killed
        if (answer?.status === 202 || answer?.status === 200) break // 200: a copy, because the first answer was lost
        expect(answer?.status ?? 503).toBe(503)
        await setTimeout(20)
      }
      if (++acknowledged !== killAt[0]) return
      killAt.shift()
      served.child.kill('SIGKILL')
      await served.ended
      served = start()
    }

    const waiting = Array.from({ length: count }, () => random.guid())
    const guids = new Set(waiting)
    const sender = async () => {
      for (let guid = waiting.pop(); guid !== undefined; guid = waiting.pop()) await deliver(guid)
    }
    await Promise.all(Array.from({ length: senders }, sender))
    expect(killAt).toEqual([])

    const handledBy = (name: string) =>
      new Set(
        readFileSync(join(folder, `${name}.txt`), 'utf8')
          .trim()
          .split('\n'),
      )
    for (const name of ['first', 'second']) await expect.poll(() => handledBy(name)).toEqual(guids)
    await expect.poll(() => statesIn(served), { timeout: 60_000 }).toEqual({ done: count })
  })
})

/** The number of deliveries by state, without the states that none has. */
async function statesIn(served: ServedProcess): Promise<Record<string, number>> {
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(`${await served.adminUrl()}/api/v1/stats`, { headers })
  const { states } = (await response.json()) as { states: Record<string, number> }
  return Object.fromEntries(Object.entries(states).filter(([, number]) => number > 0))
}
