/** The client of the admin API. */
import type { Problem } from '../../src/server/api/schemas/responses.ts'

/**
 * An error response. The code is `unknown` if the body is not a `Problem` of the API, for example because a proxy sent
 * the response.
 */
export class ApiError extends Error {
  readonly status: number
  readonly code: Problem['code'] | 'unknown'

  constructor({ status, code, detail }: Pick<ApiError, 'status' | 'code'> & { detail: string }) {
    super(detail)
    this.status = status
    this.code = code
  }
}

/** The server did not respond, or a proxy responded: with a 2xx status, and with a body that is not JSON. */
class Unreachable extends Error {}

type Parameters = Readonly<Record<string, string | number | boolean | undefined>>

const listeners: { unauthorized?: () => void } = {}

/** Sets the listener that is called after each response with status 401, such as after the end of the session. */
export function onUnauthorized(listener: () => void): void {
  listeners.unauthorized = listener
}

/** @throws {ApiError} @throws {Unreachable} */
export async function get<Answer>(path: string, parameters: Parameters = {}, signal?: AbortSignal): Promise<Answer> {
  return jsonOf(await ask(addressOf(path, parameters), { signal: signal ?? null }))
}

/** @throws {ApiError} @throws {Unreachable} */
export async function getBytes(path: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  return (await ask(addressOf(path), { signal: signal ?? null })).arrayBuffer()
}

/** @throws {ApiError} @throws {Unreachable} */
export async function post<Answer>(path: string, body?: unknown, signal?: AbortSignal): Promise<Answer> {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' }
  const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body)
  const response = await ask(addressOf(path), { method: 'POST', headers, body: text ?? null, signal: signal ?? null })
  return response.status === 204 ? (undefined as Answer) : jsonOf(response)
}

/** The API responds with JSON. Anything else comes from a proxy. */
async function jsonOf<Answer>(response: Response): Promise<Answer> {
  const text = await response.text()
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Unreachable('The response is not JSON. It may come from a proxy between this page and the server', {
      cause,
    })
  }
}

/** @throws {ApiError} @throws {Unreachable} */
export async function remove(path: string): Promise<void> {
  await ask(addressOf(path), { method: 'DELETE' })
}

/** Milliseconds by which the server's clock is ahead of the browser's. */
let ahead = 0

/** The time of the server's clock, which sets the times of deliveries. */
export const serverTime = (): number => Date.now() + ahead

/** The `Date` header has a resolution of one second, and responses take time, so small differences are ignored. */
function compareClocks(date: string | null): void {
  const differ = Date.parse(date ?? '') - Date.now()
  if (Math.abs(differ - ahead) > 5000) ahead = Math.abs(differ) > 5000 ? differ : 0
}

/** An address of the API, relative to the page, because a proxy may serve the page under another path. */
export function addressOf(path: string, parameters: Parameters = {}): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== '')
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
  return `./api/v1/${path}${query === '' ? '' : `?${query}`}`
}

async function ask(address: string, init: RequestInit): Promise<Response> {
  const response = await fetch(address, init).catch((error: Error) => {
    if (error.name === 'AbortError') throw error
    throw new Unreachable('The server does not respond', { cause: error })
  })
  compareClocks(response.headers.get('date'))
  if (response.ok) return response
  const error = new ApiError(await problemOf(response))
  if (error.status === 401) listeners.unauthorized?.()
  throw error
}

async function problemOf(response: Response): Promise<ConstructorParameters<typeof ApiError>[0]> {
  const { status } = response
  const { code, detail }: Partial<Problem> = (await response.json().catch(() => undefined)) ?? {}
  if (code && detail) return { status, code, detail }
  return { status, code: 'unknown', detail: `The server responded with ${status} ${response.statusText}`.trim() }
}
