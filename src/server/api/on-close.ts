import type { ServerResponse } from 'node:http'

/** Calls `work` when an answer has ended, or its client has gone: at once where that has happened while something was waited for. */
export function onClose(outgoing: ServerResponse, work: () => void): void {
  if (outgoing.closed || outgoing.destroyed || outgoing.socket?.destroyed) work()
  else outgoing.once('close', work)
}
