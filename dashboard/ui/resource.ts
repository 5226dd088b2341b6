import { useEffect, useRef, useState } from 'preact/hooks'

/** Something that the server is asked for. What was there stays until the new one has come, so that nothing jumps. */
export interface Resource<Value> {
  value: Value | undefined
  error: Error | undefined
  /** Whether it is being asked for. */
  busy: boolean
  reload: () => void
}

/** @param key What it depends on: it is asked for again when that changes. */
export function useResource<Value>(key: string, load: (signal: AbortSignal) => Promise<Value>): Resource<Value> {
  const [state, setState] = useState<{ key: string; value?: Value; error?: Error; busy: boolean }>({ key, busy: true })
  const [turn, setTurn] = useState(0)
  const current = useRef(load)
  current.current = load
  useEffect(() => {
    const gone = new AbortController()
    setState((before) => ({ ...before, busy: true }))
    current.current(gone.signal).then(
      (value) => gone.signal.aborted || setState({ key, value, busy: false }),
      (error: Error) => gone.signal.aborted || setState((before) => ({ ...before, error, busy: false })),
    )
    return () => gone.abort()
  }, [key, turn])
  const { value, error, busy } = state
  return { value, error, busy, reload: () => setTurn((before) => before + 1) }
}

/** The same, asked for again every so many milliseconds while the page is seen. */
export function usePolled<Value>(
  key: string,
  interval: number,
  load: (signal: AbortSignal) => Promise<Value>,
): Resource<Value> {
  const resource = useResource(key, load)
  const current = useRef(resource)
  current.current = resource
  useEffect(() => {
    // A server that takes longer than that is not asked anew, or it would never come to its answer.
    const timer = setInterval(() => document.hidden || current.current.busy || current.current.reload(), interval)
    return () => clearInterval(timer)
  }, [interval])
  return resource
}
