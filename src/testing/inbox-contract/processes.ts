import assert from 'node:assert/strict'
import type { ProcessInfo } from '../../inbox/processes.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { start } from './deliveries.ts'
import { eventually } from './eventually.ts'
import { only } from './seen.ts'

export const processCases: InboxContractCase[] = [
  {
    id: 'processes',
    name: 'returns the processes that any inbox of a store has registered, in the order of their start',
    needs: ['ProcessStore'],
    async run(host) {
      const store = await host.create()
      const [inbox, other] = [await store.open(), await store.open()]
      assert.deepEqual(await inbox.processes(), [])
      const [older, newer] = [presence('b'), presence('a', { role: 'worker', startedAt: start + 1 })]
      await inbox.heartbeat(newer)
      await other.heartbeat(older)
      const seen = await other.processes()
      assert.deepEqual(
        seen.map(({ id, role, version, startedAt }) => ({ id, role, version, startedAt })),
        [older, newer],
      )
      for (const { host: name, pid } of seen)
        assert.ok(name !== '' && pid === process.pid, 'the host and the process id are known')
      assert.deepEqual(await inbox.processes(), seen)
    },
  },
  {
    id: 'process-again',
    name: 'lists a process once, with its latest status, after several heartbeats',
    needs: ['ProcessStore'],
    async run(host) {
      const inbox = await openNew(host)
      const receiver = presence('a', { role: 'receiver' })
      await inbox.heartbeat(receiver)
      const before = only(await inbox.processes())
      assert.ok(Math.abs(before.seenAt - Date.now()) < 60_000, 'the heartbeat is recent')
      const after = await eventually('a later heartbeat is listed', async () => {
        await inbox.heartbeat({ ...receiver, role: 'all' })
        const seen = only(await inbox.processes())
        return seen.seenAt > before.seenAt && seen
      })
      assert.deepEqual(after, { ...before, role: 'all', seenAt: after.seenAt })
    },
  },
  {
    id: 'process-problems',
    name: 'returns the problems in the latest heartbeat of a process, and none if that heartbeat has none',
    needs: ['ProcessStore'],
    async run(host) {
      const store = await host.create()
      const [inbox, other] = [await store.open(), await store.open()]
      const problems = [{ code: 'handler_overdue', handler: 'a', count: 2 }, { code: 'memory_exhausted' }] as const
      await inbox.heartbeat(presence('a', { problems }))
      assert.deepEqual(only(await other.processes()).problems, problems)
      await inbox.heartbeat(presence('a'))
      assert.equal('problems' in only(await other.processes()), false)
    },
  },
  {
    id: 'process-unregistered',
    name: 'removes a process that unregisters, and keeps the other processes',
    needs: ['ProcessStore'],
    async run(host) {
      const inbox = await openNew(host)
      await inbox.heartbeat(presence('a'))
      await inbox.heartbeat(presence('b'))
      await inbox.unregister('a')
      await inbox.unregister('unknown')
      assert.equal(only(await inbox.processes()).id, 'b')
    },
  },
]

const presence = (id: string, more: Partial<ProcessInfo> = {}): ProcessInfo => ({
  ...{ id, role: 'all', version: '1.2.3', startedAt: start },
  ...more,
})
