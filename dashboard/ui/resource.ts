import { useEffect, useRef, useState } from 'preact/hooks'

/**
 * Data from the server. The value of the previous key stays until the request for the new key ends, so that the page does
 * not jump.
 */
interface Resource<Value> {
  value: Value | undefined
  /** Whether the value, if there is one, belongs to the current key. */
  isCurrent: boolean
  /** Why the last request for the current key failed. */
  error: Error | undefined
  /** Whether a request is running. */
  busy: boolean
  reload: () => void
}

/** @param key The resource is loaded again when the key changes. */
export function useResource<Value>(key: string, load: (signal: AbortSignal) => Promise<Value>): Resource<Value> {
  /** `key` belongs to the value and the error. */
  const [state, setState] = useState<{ key: string; value?: Value; error?: Error; busy: boolean }>({ key, busy: true })
  const [turn, setTurn] = useState(0)
  const current = useRef(load)
  current.current = load
  useEffect(() => {
    const unmounted = new AbortController()
    setState((before) => ({ ...before, busy: true }))
    current.current(unmounted.signal).then(
      (value) => unmounted.signal.aborted || setState({ key, value, busy: false }),
      (error: Error) =>
        unmounted.signal.aborted ||
        setState((before) => ({ ...(before.key === key ? before : { key }), error, busy: false })),
    )
    return () => unmounted.abort()
  }, [key, turn])
  const isCurrent = state.key === key
  return {
    value: state.value,
    isCurrent,
    error: isCurrent ? state.error : undefined,
    busy: state.busy || !isCurrent,
    reload: () => setTurn((before) => before + 1),
  }
}

/** Reloads the resource every `interval` milliseconds, while the page is visible and no request is running. */
export function usePolled<Value>(
  key: string,
  interval: number,
  load: (signal: AbortSignal) => Promise<Value>,
): Resource<Value> {
  const resource = useResource(key, load)
  const current = useRef(resource)
  current.current = resource
  useEffect(() => {
    // Reloading aborts the running request, so a request that is slower than the interval would never end.
    const timer = setInterval(() => document.hidden || current.current.busy || current.current.reload(), interval)
    return () => clearInterval(timer)
  }, [interval])
  return resource
}
