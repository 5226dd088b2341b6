/**
 * Replaces `src/sqlite/threads.ts` in most tests: an inbox serves its calls in the thread of the test. Its life takes
 * 6 ms of CPU this way, and 160 ms with its two threads.
 */
import type { Call } from '../../src/runtime/thread-server.ts'
import { Maintenance } from '../../src/sqlite/maintenance.ts'
import type { MaintenanceCalls, ThreadSettings, WriterCalls } from '../../src/sqlite/threads.ts'
import { Writer } from '../../src/sqlite/writer.ts'
import { InThreadClient } from './in-thread-client.ts'

export * from '../../src/sqlite/threads.ts'

export const writerThread = (settings: ThreadSettings): InThreadClient<WriterCalls> =>
  new InThreadClient(settings, (connection) => new Writer(connection, settings))

export const maintenanceThread = (
  settings: ThreadSettings,
  prelude: () => Call<MaintenanceCalls>[],
): InThreadClient<MaintenanceCalls> =>
  new InThreadClient(settings, (connection) => new Maintenance(connection, settings), prelude)
