import type { Guard } from '../guard.ts'
import { Unanswerable } from '../problem.ts'
import { readJson } from './json-body.ts'
import type { Route } from './route.ts'
import { answer, body, problems } from './schemas.ts'

/** What a browser exchanges a token for, and what it has. */
export function session(guard: Guard): Route[] {
  return [
    {
      method: 'post',
      path: '/session',
      open: true,
      operation: {
        operationId: 'logIn',
        summary: 'Exchange a token for a cookie, which lets a browser in for seven days',
        requestBody: body('Login', true),
        responses: { 204: { description: 'The cookie is set' }, ...problems(400, 413, 415) },
      },
      async answer(context) {
        const { token } = await readJson(context, ['token'])
        if (typeof token === 'string') return guard.login(context, token)
        throw Unanswerable.because([{ name: 'token', expected: 'the token, as a text' }])
      },
    },
    {
      method: 'get',
      path: '/session',
      operation: {
        operationId: 'getSession',
        summary: 'How far you are let in, and until when',
        responses: { 200: answer('Session') },
      },
      answer: (context) => context.json(guard.visitorOf(context)),
    },
    {
      method: 'delete',
      path: '/session',
      forReaders: true,
      operation: {
        operationId: 'logOut',
        summary: 'End the session before its time',
        responses: { 204: { description: 'The cookie is taken back' } },
      },
      answer: (context) => guard.logout(context),
    },
  ]
}
