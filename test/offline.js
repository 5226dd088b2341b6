/** Preloaded where a program under test would ask the real GitHub. */
globalThis.fetch = async () => {
  throw new TypeError('There is no network in the tests')
}
