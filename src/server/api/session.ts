import type { Guard } from '../guard.ts'
import { Unanswerable } from '../problem.ts'
import { readJson } from './json-body.ts'
import type { Route } from './route.ts'
import { body, problems } from './schemas.ts'

/** What a browser exchanges the token for. */
export function session(guard: Guard): Route {
  return {
    method: 'post',
    path: '/session',
    open: true,
    operation: {
      operationId: 'logIn',
      summary: 'Exchange the token for a cookie, which lets a browser in for seven days',
      requestBody: body('Login', true),
      responses: { 204: { description: 'The cookie is set' }, ...problems(400, 413, 415) },
    },
    async answer(context) {
      const { token } = await readJson(context, ['token'])
      if (typeof token === 'string') return guard.login(context, token)
      throw Unanswerable.because([{ name: 'token', expected: 'the token, as a text' }])
    },
  }
}
