import type { Context } from 'hono'
import { deleteCookie, setCookie } from 'hono/cookie'
import type { CookieOptions } from 'hono/utils/cookie'
import { sessionAge } from './sessions.ts'

/** @param own The address of `--admin-url`, where the request came by it. */
export function setSessionCookie(context: Context, cookie: string, own: URL | undefined): void {
  setCookie(context, nameOf(context), cookie, { ...scopeOf(own), maxAge: sessionAge })
}

export function deleteSessionCookie(context: Context, own: URL | undefined): void {
  deleteCookie(context, nameOf(context), scopeOf(own))
}

/** All cookies of our name: those of a longer path come first. No more than a browser keeps are looked at. */
export function sessionCookies(context: Context): string[] {
  const name = `${nameOf(context)}=`
  const pairs = (context.req.header('cookie') ?? '').split(';', 200).map((pair) => pair.trim())
  return pairs.filter((pair) => pair.startsWith(name)).map((pair) => pair.slice(name.length))
}

/** One for each port, so that two servers on a machine do not overwrite each other's cookie. */
const nameOf = (context: Context): string =>
  `hookserver-${/:(\d+)$/.exec(context.req.header('host') ?? '')?.[1] ?? 'http'}`

/** No script can read it, and no other site can use it. */
const scopeOf = (own: URL | undefined): CookieOptions => ({
  httpOnly: true,
  sameSite: 'Strict',
  secure: own?.protocol === 'https:',
  path: `${own?.pathname.replace(/\/+$/, '') ?? ''}/api`, // the page itself does not need it
})
