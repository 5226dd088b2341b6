import { useLayoutEffect, useRef } from 'preact/hooks'

export interface Command {
  name: string
  /** The kind of the command, or of its results. */
  hint: string
  run: () => unknown
}

/** The commands of each mounted component that has any. */
const registered = new Set<{ current: readonly Command[] }>()

/** Registers commands for the palette while the component is mounted. */
export function useCommands(commands: readonly Command[]): void {
  const current = useRef(commands)
  current.current = commands
  useLayoutEffect(() => {
    registered.add(current)
    return () => void registered.delete(current)
  }, [])
}

/** The commands of the screen. */
export const screenCommands = (): Command[] => [...registered].flatMap(({ current }) => current)
