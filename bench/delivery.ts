/** The push that every server of the benches receives: 6.9 kB, signed both ways, since some rivals know only SHA-1. */
import { type SignedRequestOptions, signedRequest, type TestRequest } from 'hookserver/testing'

/** The arguments of a benchmark server. */
export interface Bench {
  secret: string
  path: string
}

export const bench: Bench = { secret: "It's a Secret to Everybody", path: '/hooks' }

export const push = (options?: SignedRequestOptions): TestRequest =>
  signedRequest('push', { secret: bench.secret, guid: '72d3162e-cc78-11e3-81ab-4c9367dc0958', ...options })

/** Sends it, under a GUID of its own, without HTTP. */
export const sendTo = (receive: (request: Request) => Promise<Response>): Promise<Response> =>
  receive(new Request(`http://localhost${bench.path}`, push({ guid: crypto.randomUUID() }) as RequestInit))
