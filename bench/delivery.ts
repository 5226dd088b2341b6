/**
 * The push that every benchmark server receives: 6.9 kB, signed with SHA-256 and with SHA-1, because some rivals verify
 * only SHA-1.
 */
import { type SignedRequestOptions, signedRequest, type TestRequest } from 'hookserver/testing'

/** The arguments of a benchmark server. */
export interface Bench {
  secret: string
  path: string
  /** The file, URL or socket of the server's database, if the server stores deliveries. */
  target?: string
}

export const bench: Bench = { secret: "It's a Secret to Everybody", path: '/hooks' }

export const push = (options?: SignedRequestOptions): TestRequest =>
  signedRequest('push', { secret: bench.secret, guid: '72d3162e-cc78-11e3-81ab-4c9367dc0958', ...options })

/** Sends the push under a new GUID, without HTTP. */
export const sendTo = (receive: (request: Request) => Promise<Response>): Promise<Response> =>
  receive(new Request(`http://localhost${bench.path}`, push({ guid: crypto.randomUUID() }) as RequestInit))
