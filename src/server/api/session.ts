import type { Guard } from '../auth/guard.ts'
import { type Route, route } from './route.ts'

/** Exchanges a token for a session, and shows and ends it. */
export const session = (guard: Guard): Route[] => [
  route({
    method: 'post',
    path: '/session',
    open: true,
    operationId: 'logIn',
    summary: 'Exchange a token for the cookie of a session, which lasts seven days',
    body: 'Login',
    bodyRequired: true,
    responses: { 204: { description: 'The cookie is set' } },
    handle: ({ context, body: { token } }) => guard.login(context, token),
  }),
  route({
    method: 'get',
    path: '/session',
    operationId: 'getSession',
    summary: 'Whether the token or session is read-only, and when the session expires',
    answer: 'Session',
    handle: ({ context }) => guard.visitorOf(context),
  }),
  route({
    method: 'delete',
    path: '/session',
    forReaders: true,
    operationId: 'logOut',
    summary: 'End the session before it expires',
    responses: { 204: { description: 'The cookie is deleted' } },
    handle: ({ context }) => guard.logout(context),
  }),
]
