import { computed, signal } from '@preact/signals'
import type { LoginMethods, Session } from '../../src/server/api/schemas/operators.ts'
import { ApiError, get, onUnauthorized, post, remove } from '../api/client.ts'
import { go } from '../route.ts'

/** `undefined` until it is known; `null` if the visitor must log in. */
export const session = signal<Session | null | undefined>(undefined)
/** Why the visitor must log in again. */
export const loginReason = signal('')
/** Why the session could not be read. */
export const failure = signal<Error | undefined>(undefined)

export const mayAct = computed(() => session.value?.readOnly === false)

/** Why the visitor may only read. */
export const readOnlyReason = computed(() =>
  session.value?.person === undefined
    ? 'This token is read-only. To change something, log in with the admin token.'
    : `${session.value.person} may only read. To change something, ask for a team that --admin-github-operators names.`,
)

onUnauthorized(() => {
  if (session.value) loginReason.value = 'Your session has ended. Log in again to continue.'
  session.value = null
  void askMethods()
})

/** Whether users may log in with GitHub. */
export const hasGitHub = signal(false)

/** Why a login with GitHub ended without a session, by the text after `#login=`. */
const loginFailures: Readonly<Record<string, string>> = {
  expired: 'The login was not finished in time, or began in another browser. Try again.',
  denied: 'You have not authorized the App on GitHub.',
  forbidden: 'Your account on GitHub has no access to this server. Ask its operators to add you to a team.',
  failed: 'GitHub did not confirm who you are. The server log has the reason.',
  wait: 'Too many attempts failed. Wait a minute, then try again.',
}

/** Where the address of the screen is kept while the browser is at GitHub. */
const placeKey = 'hookserver-place'

export function rememberPlace(): void {
  if (location.hash !== '') sessionStorage.setItem(placeKey, location.hash)
}

/** Returns to the screen that the visitor left for GitHub, or shows why the login failed. */
function returnFromGitHub(): void {
  const failed = /^#login=(\w+)$/.exec(location.hash)?.[1]
  if (failed !== undefined) {
    loginReason.value = loginFailures[failed] ?? ''
    go(location.pathname, { replace: true })
    return
  }
  const place = sessionStorage.getItem(placeKey)
  sessionStorage.removeItem(placeKey)
  if (place !== null && location.hash === '') go(place, { replace: true })
}

const tokenInAddress = () => /^#token=(.+)$/.exec(location.hash)?.[1]

// The operator may open the link from the terminal in a tab that already shows the page.
addEventListener('hashchange', () => void (tokenInAddress() && openSession()))

/**
 * Exchanges the token in the address for a session, and removes the token from the address. Without a token in the
 * address, loads the current session.
 */
export async function openSession(): Promise<void> {
  failure.value = undefined
  returnFromGitHub()
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

async function askMethods(): Promise<void> {
  const methods = await get<LoginMethods>('session/methods').catch(() => undefined) // the token still works
  hasGitHub.value = methods?.github === true
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
  await askMethods()
  session.value = null
}
