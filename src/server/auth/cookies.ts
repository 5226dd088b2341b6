/** The cookies of the admin listener. `sessions.ts` creates and verifies the contents of session cookies. */
import type { Context } from 'hono'
import { deleteCookie, setCookie } from 'hono/cookie'
import type { CookieOptions } from 'hono/utils/cookie'

/** @param maxAge Seconds. @param adminUrl The URL of `--admin-url`, if the request used it. */
export function setSessionCookie(context: Context, cookie: string, maxAge: number, adminUrl: URL | undefined): void {
  setCookie(context, cookieName(context), cookie, { ...scopeOf(adminUrl), maxAge })
}

export function deleteSessionCookie(context: Context, adminUrl: URL | undefined): void {
  deleteCookie(context, cookieName(context), scopeOf(adminUrl))
}

/** The values of all session cookies. */
export function sessionCookies(context: Context): string[] {
  return cookiesNamed(context, cookieName(context))
}

/**
 * The values of all cookies with a name: several servers of one host can set cookies with one name, at different paths.
 * Reads at most 200 cookies of the request.
 */
export function cookiesNamed(context: Context, name: string): string[] {
  const pairs = (context.req.header('cookie') ?? '').split(';', 200).map((pair) => pair.trim())
  return pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1))
}

/** Contains the port, so that two servers on one machine do not overwrite each other's cookies. */
const cookieName = (context: Context): string => `hookserver-${portIn(context)}`

/** The port in the header `Host`, for the name of a cookie. `http` if the header has none. */
export const portIn = (context: Context): string => /:(\d+)$/.exec(context.req.header('host') ?? '')?.[1] ?? 'http'

/** Scripts cannot read the cookie, and other sites cannot use it. */
const scopeOf = (adminUrl: URL | undefined): CookieOptions => ({
  httpOnly: true,
  sameSite: 'Strict',
  secure: adminUrl?.protocol === 'https:',
  path: `${adminUrl?.pathname.replace(/\/+$/, '') ?? ''}/api`, // the page itself needs no cookie
})
