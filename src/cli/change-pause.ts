import type { AdminClient } from './admin-client.ts'

/** How a command has changed the paused handlers. */
interface PauseChange {
  /** Whether the handler, or all handlers, became paused or active. */
  changed: boolean
  /** The handlers that are paused now. */
  paused: readonly string[]
  /** The handlers that workers have or had. */
  known: readonly string[]
}

/** Pauses or resumes a handler, or all of them with the name `allHandlers`. */
export async function changePause(
  client: AdminClient,
  action: 'pause' | 'resume',
  handler: string,
): Promise<PauseChange> {
  const before = await client.overview()
  await client[action](handler)
  const { paused } = await client.overview()
  const changed = before.paused.includes(handler) !== paused.includes(handler)
  return { changed, paused, known: before.handlers }
}
