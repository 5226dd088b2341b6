import { expect, test } from 'vitest'
import { silenceTimeout } from '../../../src/inbox/processes.ts'
import { heartbeat, processes } from '../../../src/postgres/metadata/processes.ts'
import { databases } from '../databases.ts'
import { createTables } from '../inbox.ts'

const server = databases()

test('marks a process that has missed two heartbeats', async () => {
  const database = await createTables(await server.create())
  try {
    const info = { id: 'a', role: 'all', version: '1.2.3', startedAt: 1 } as const
    await heartbeat(database, info)
    expect(await processes(database)).toMatchObject([{ id: 'a' }])
    await database.run(`update processes set seen_at = seen_at - $1 * interval '1 ms'`, silenceTimeout)
    expect(await processes(database)).toMatchObject([{ id: 'a', silent: true }])
    await heartbeat(database, info)
    expect((await processes(database)).map(({ silent }) => silent)).toEqual([undefined])
  } finally {
    await database.close()
  }
})
