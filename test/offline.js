/**
 * Preloaded into programs under test: requests fail, except to this machine, so that no test reaches the real GitHub.
 */
const { fetch } = globalThis
globalThis.fetch = async (input, init) => {
  const { hostname } = new URL(input instanceof Request ? input.url : input)
  if (hostname === '127.0.0.1') return fetch(input, init)
  throw new TypeError('There is no network in the tests')
}
