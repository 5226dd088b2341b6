/**
 * Preloaded into programs under test. Makes `fetch` fail, except for 127.0.0.1, so that no test reaches GitHub.
 */
const { fetch } = globalThis
globalThis.fetch = async (input, init) => {
  const { hostname } = new URL(input instanceof Request ? input.url : input)
  if (hostname === '127.0.0.1') return fetch(input, init)
  throw new TypeError('There is no network in the tests')
}
