/** What a browser does, and a page in it. */
import { type Admin, type Answered, token } from './administered.ts'

/** Something that is shown only to whoever holds the token, and costs no look into the inbox. */
export const shown = '/api/openapi.json'
export const noToken = { authorization: undefined }

/** What a browser sends for a page of the origin, which asks for something at `host`. */
export const fromPage = (host: string, origin: string, site = 'same-origin') => ({
  ...{ host, origin, 'sec-fetch-site': site, 'sec-fetch-mode': 'cors', ...noToken },
})

export const logIn = (admin: Admin, headers: Record<string, string | undefined> = {}, given: unknown = token) =>
  admin.ask('/api/session', { method: 'POST', headers: { ...noToken, ...headers }, body: { token: given } })

const cookieOf = ({ headers }: Answered): string => headers['set-cookie']?.[0]?.split(';', 1)[0] ?? ''

export async function withCookie(admin: Admin, given: string = token): Promise<string> {
  return cookieOf(await logIn(admin, fromPage(admin.host, `http://${admin.host}`), given))
}
