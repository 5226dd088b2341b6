/** Runs the contract again with the writer and the maintenance in the test's own thread, to measure their coverage. */
import { vi } from 'vitest'
import type { Call } from '../../src/runtime/thread-server.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { Maintenance } from '../../src/sqlite/maintenance.ts'
import type { MaintenanceCalls, ThreadSettings } from '../../src/sqlite/threads.ts'
import { Writer } from '../../src/sqlite/writer.ts'
import { describeContract } from './contract-suite.ts'

vi.mock('../../src/sqlite/threads.ts', async (original) => {
  const { InThreadClient } = await import('./in-thread-client.ts')
  const writerThread = (settings: ThreadSettings) => {
    return new InThreadClient(settings, (connection) => new Writer(connection, settings))
  }
  const maintenanceThread = (settings: ThreadSettings, prelude: () => Call<MaintenanceCalls>[]) => {
    return new InThreadClient(settings, (connection) => new Maintenance(connection, settings), prelude)
  }
  return { ...(await original<object>()), writerThread, maintenanceThread }
})

describeContract('the inbox contract, SQLite in one thread', sqlite)
