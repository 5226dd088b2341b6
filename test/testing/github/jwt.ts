import { sign } from 'node:crypto'

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** The JWT of an App. By default, it is valid from a minute ago until 9 minutes from now, by the machine's clock. */
export function jwtOf(
  { id, privateKey }: { id: number | string; privateKey: string },
  claims: object = {},
  header: object = { alg: 'RS256', typ: 'JWT' },
): string {
  const now = Math.floor(Date.now() / 1000)
  const signed = `${part(header)}.${part({ iss: id, iat: now - 60, exp: now + 540, ...claims })}`
  return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`
}
