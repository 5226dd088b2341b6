import { computed, signal } from '@preact/signals'
import type { Session } from '../../src/server/api/schemas/responses.ts'
import { ApiError, get, onUnauthorized, post, remove } from '../api/client.ts'

/** `undefined` until it is known; `null` if the visitor must log in. */
export const session = signal<Session | null | undefined>(undefined)
/** Why the visitor must log in again. */
export const loginReason = signal('')
/** Why the session could not be read. */
export const failure = signal<Error | undefined>(undefined)

export const mayAct = computed(() => session.value?.readOnly === false)

onUnauthorized(() => {
  if (session.value) loginReason.value = 'Your session has ended. Log in again to continue.'
  session.value = null
})

const tokenInAddress = () => /^#token=(.+)$/.exec(location.hash)?.[1]

// The operator may open the link from the terminal in a tab that already shows the page.
addEventListener('hashchange', () => void (tokenInAddress() && openSession()))

/**
 * Exchanges the token in the address for a session, and removes the token from the address. Without a token in the
 * address, loads the current session.
 */
export async function openSession(): Promise<void> {
  failure.value = undefined
  const token = tokenInAddress()
  if (token !== undefined) history.replaceState(null, '', location.pathname)
  try {
    if (token === undefined) session.value = await get<Session>('session')
    else await logIn(decodeURIComponent(token))
  } catch (error) {
    if (!(error instanceof ApiError)) failure.value = error as Error
    else if (token !== undefined) loginReason.value = error.message
    if (error instanceof ApiError) session.value = null
  }
}

/** @throws {ApiError} if the token is wrong. */
export async function logIn(token: string): Promise<void> {
  await post('session', { token })
  session.value = await get<Session>('session')
  loginReason.value = ''
}

export async function logOut(): Promise<void> {
  await remove('session')
  loginReason.value = 'You are logged out.'
  session.value = null
}
