import { verify } from 'node:crypto'
import { HttpError } from '../http/reply.ts'
import type { App } from '../world/app.ts'

/** In seconds: the maximum lifetime of an App's JWT. */
const maxLifetime = 600

interface Claims {
  iss?: unknown
  iat?: unknown
  exp?: unknown
}

/**
 * Returns the App that signed a JWT.
 * @param now In milliseconds since 1970.
 * @throws {HttpError} with GitHub's messages, from which clients detect that their clock is wrong.
 */
export function appOf(jwt: string, apps: readonly App[], now: number): App {
  const [header = '', payload = '', signature = ''] = jwt.split('.')
  const { alg } = decoded(header) as { alg?: unknown }
  const { iss, iat, exp } = decoded(payload) as Claims
  const app = apps.find(({ id, clientId }) => String(iss) === String(id) || iss === clientId)
  if (!app) throw new HttpError(404, 'Integration not found')
  const signed = Buffer.from(`${header}.${payload}`)
  if (alg !== 'RS256' || !verify('sha256', signed, app.publicKey, Buffer.from(signature, 'base64url')))
    throw undecodable()
  checkTimes(iat, exp, now / 1000)
  return app
}

function checkTimes(iat: unknown, exp: unknown, now: number): void {
  if (!Number.isInteger(iat) || (iat as number) > now)
    throw wrong("'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued")
  if (typeof exp !== 'number' || exp <= now)
    throw wrong(
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    )
  if (exp > now + maxLifetime) throw wrong("'Expiration time' claim ('exp') is too far in the future")
}

const wrong = (message: string): HttpError => new HttpError(401, message)

/** Also the error for a request that needs a JWT and has none. */
export const undecodable = (): HttpError => wrong('A JSON web token could not be decoded')

function decoded(part: string): object {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    if (typeof value === 'object' && value !== null) return value
  } catch {} // not JSON
  throw undecodable()
}
