import { type Guard, visitorIn } from '../auth/guard.ts'
import { record } from './audit.ts'
import { type ApiContext, type Route, route } from './route.ts'

/** The maximum bytes of a login. Small, because the server reads this body before it knows the client. */
const maxLogin = 4096

/** Begins, shows and ends a session. */
export const session = (api: ApiContext, guard: Guard): Route[] => [
  route({
    method: 'post',
    path: '/session',
    open: true,
    operationId: 'logIn',
    summary: 'Exchange a token for a session cookie, which is valid for seven days',
    body: 'Login',
    bodyRequired: true,
    maxBody: maxLogin,
    responses: { 204: { description: 'The cookie is set' } },
    async handle({ context, body: { token } }) {
      guard.checkToken(context, token)
      await record(api, context, 'login', { count: 1 })
      return guard.beginSession(context)
    },
  }),
  route({
    method: 'get',
    path: '/session/methods',
    open: true,
    operationId: 'getLoginMethods',
    summary: 'Tell whether users may log in with GitHub: then /login/github starts the login of a browser',
    answer: 'LoginMethods',
    handle: () => ({ github: guard.github !== undefined }),
  }),
  route({
    method: 'get',
    path: '/session',
    operationId: 'getSession',
    summary: 'Tell whether the token or session is read-only, and when the session expires',
    answer: 'Session',
    handle: ({ context }) => visitorIn(context),
  }),
  route({
    method: 'delete',
    path: '/session',
    forReaders: true,
    operationId: 'logOut',
    summary: 'End the session',
    responses: { 204: { description: 'The cookie is deleted' } },
    async handle({ context }) {
      if (await guard.logout(context)) await record(api, context, 'logout', { count: 1 })
      return context.body(null, 204)
    },
  }),
]
