/** Shares one call of `work` among all requests, while it runs and for `lasts` ms after it has succeeded. */
export function shared<T>(work: () => Promise<T>, lasts = 0): () => Promise<T> {
  let current: Promise<T> | undefined
  let ends = Number.POSITIVE_INFINITY
  const endIn = (ms: number) => () => {
    ends = performance.now() + ms
  }
  return () => {
    if (current && performance.now() < ends) return current
    ends = Number.POSITIVE_INFINITY
    current = work()
    current.then(endIn(lasts), endIn(0))
    return current
  }
}
