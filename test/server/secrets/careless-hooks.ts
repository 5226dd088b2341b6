/** A module whose handlers log and throw secrets. */
import { Hooks } from 'hookserver'

const { GITHUB_TOKEN = '' } = process.env
const headers = { authorization: `Bearer ${GITHUB_TOKEN}` }

export const hooks: Hooks = new Hooks({ token: GITHUB_TOKEN })

hooks.hook('push', (_data, guid, delivery) => {
  delivery.log.info({ guid, ...headers, sent: { headers }, received: delivery.headers }, 'Asking GitHub')
  delivery.log.debug({ headers: { Authorization: headers.authorization, Cookie: GITHUB_TOKEN } }, 'Asking once more')
  return delivery.headers
})
// Throws an error as API clients do: the error contains the request.
hooks.hook('issues', { attempts: 1 }, () => {
  const cause = Object.assign(new Error('Bad credentials'), {
    status: 401,
    request: { headers },
    config: { headers },
  })
  throw Object.assign(new Error('No issue was made', { cause }), { request: { headers }, errors: [cause] })
})
hooks.hook(
  'fork',
  { attempts: 1 },
  () =>
    new Promise(() =>
      setImmediate(() => {
        throw Object.assign(new Error('thrown outside of a promise'), { response: { request: { headers } } })
      }),
    ),
)
