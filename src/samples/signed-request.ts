import { createHmac, randomUUID } from 'node:crypto'
import type { CheckedName } from '../checked-names.ts'
import { type AnyEventName, describeUnknown, isKnownName, type PayloadOf, splitName } from '../events.ts'
import type { HashName } from '../http.ts'
import type { Secret } from '../options.ts'
import { type Check, checkOptions, isOneOf, isString, must } from '../runtime/check-options.ts'
import { isObject } from '../runtime/json.ts'
import { sample } from './index.ts'

/** `Payload`, with any of its members missing, at any depth. */
export type PartialPayload<Payload> = Payload extends object
  ? { [Member in keyof Payload]?: PartialPayload<Payload[Member]> | undefined }
  : Payload

/** How to build and sign a request. */
export interface SignedRequestOptions<Name extends string = string> {
  /** The webhook's secret. Default: none, so the request is not signed. */
  secret?: Secret | undefined
  /**
   * The payload instead of a sample. Members may be missing: the `action` is then that of the name. A string is JSON text,
   * and is not serialized again; it may contain any other payload.
   */
  payload?: PartialPayload<PayloadOf<Name>> | string | undefined
  /** Whether to send a form with the JSON in the field `payload`, GitHub's other content type. Default: `false`. */
  form?: boolean | undefined
  /** The GUID, in the header `X-GitHub-Delivery`. Default: a random UUID. */
  guid?: string | undefined
  /** Which signatures to send. Default: `sha1` and `sha256`, as GitHub does. */
  algorithms?: readonly HashName[] | undefined
  /** Headers to add or replace; `undefined` removes one. Names in lower case. */
  headers?: Record<string, string | undefined> | undefined
}

/** A request that `fetch()`, `http.request()`, supertest and Fastify's `inject()` can send. */
export interface TestRequest {
  /** GitHub sends each delivery as a POST. */
  method: 'POST'
  /** Names in lower case. */
  headers: Record<string, string>
  /** The bytes that are signed, as text. */
  body: string
}

const checks: Record<keyof SignedRequestOptions, Check> = {
  secret: () => {}, // `createHmac` checks it
  payload: must((value) => isString(value) || isObject(value), 'an object or JSON text'),
  form: isOneOf(true, false),
  guid: must(isString, 'a string'),
  algorithms: must(Array.isArray, 'a list'),
  headers: must(isObject, 'an object'),
}

const headerOf = { sha1: 'x-hub-signature', sha256: 'x-hub-signature-256' } as const

/** The payload with the action of a name such as `issues.opened`, unless the payload has an action. */
export function withAction(name: string, payload: object): object {
  const [, action] = splitName(name)
  return action === undefined || 'action' in payload ? payload : { action, ...payload }
}

const warnedNames = new Set<string>()

/** Warns once about a name that is either mistyped or newer than this version. Handlers for the intended event ignore it. */
export function warnIfUnknown(name: string): void {
  if (isKnownName(name) || warnedNames.has(name)) return
  warnedNames.add(name)
  console.warn(`hookserver: ${describeUnknown(name, 'ignore this warning')}`)
}

/**
 * A delivery of `event` or `event.action` as GitHub sends it. It is signed if there is a `secret`.
 * @throws {RangeError} if there is no sample of the event, and no `payload`. @throws {TypeError} for an unknown option.
 */
export function signedRequest<const Name extends AnyEventName>(
  name: CheckedName<Name>,
  options?: SignedRequestOptions<Name>,
): TestRequest
export function signedRequest(name: string, options: SignedRequestOptions = {}): TestRequest {
  checkOptions(options, checks, { prefix: 'signedRequest()' })
  const { secret, payload = sample(name), form = false, guid = randomUUID(), algorithms = ['sha1', 'sha256'] } = options
  warnIfUnknown(name)
  const json = typeof payload === 'string' ? payload : JSON.stringify(withAction(name, payload))
  const body = form ? new URLSearchParams({ payload: json }).toString() : json
  const headers: Record<string, string | undefined> = {
    accept: '*/*',
    'content-type': form ? 'application/x-www-form-urlencoded' : 'application/json',
    'user-agent': 'GitHub-Hookshot/2a4c3f1',
    'x-github-delivery': guid,
    'x-github-event': splitName(name)[0],
    'x-github-hook-id': '292430182',
    'x-github-hook-installation-target-id': '79929171',
    'x-github-hook-installation-target-type': 'repository',
  }
  for (const algorithm of secret === undefined ? [] : algorithms) {
    headers[headerOf[algorithm]] = `${algorithm}=${createHmac(algorithm, secret as Secret)
      .update(body)
      .digest('hex')}`
  }
  const given = Object.entries({ ...headers, ...options.headers }).filter((entry) => entry[1] !== undefined)
  return { method: 'POST', headers: Object.fromEntries(given) as Record<string, string>, body }
}
