import type { Handler } from '../../src/server/api/schemas/responses.ts'

/** Whether a handler is paused, and whether the process that answers has it. */
export function HandlerTags({ handler, paused }: { handler: Handler; paused: readonly string[] }) {
  const { name, events, elsewhere } = handler
  return (
    <>
      {handler.paused && <span class="tag paused">{paused.includes(name) ? 'paused' : 'all paused'}</span>}
      {elsewhere && <span class="tag">in another process</span>}
      {!events && !elsewhere && <span class="tag">not registered</span>}
    </>
  )
}
