/** Stands for all handlers in the list of paused handlers. No handler can have this name. */
export const allHandlers = '*'

/** Whether a handler is paused: by its name, or with all handlers. */
export function isPaused(paused: ReadonlySet<string>, handler: string): boolean {
  return paused.has(handler) || paused.has(allHandlers)
}
