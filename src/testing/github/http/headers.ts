import { createHash, randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Caller } from '../auth/caller.ts'
import { scopesThatAllow } from '../auth/permissions.ts'
import type { World } from '../world/world.ts'
import type { Reply } from './reply.ts'
import type { Access } from './route.ts'

/** The headers of every answer. The date is that of `Clock`, because clients measure their clock skew by it. */
export function commonHeaders({ clock, enterprise }: World): Record<string, string> {
  return {
    server: 'github.com',
    date: new Date(clock.now()).toUTCString(),
    'content-type': 'application/json; charset=utf-8',
    'x-github-media-type': 'github.v3; format=json',
    'x-github-request-id': randomBytes(10)
      .toString('hex')
      .toUpperCase()
      .replace(/(.{4})(?=.)/g, '$1:'),
    ...(enterprise !== undefined && { 'x-github-enterprise-version': `enterprise-server@${enterprise}` }),
  }
}

/** The header with the scopes of a classic token. Other callers get no such header. */
export function scopeHeaders(caller: Caller): Record<string, string> {
  return caller.kind === 'user' && caller.scopes ? { 'x-oauth-scopes': caller.scopes.join(', ') } : {}
}

/** The headers that name the requirements of a route: a scope of a classic token, or permissions of any other token. */
export function acceptedHeaders(access: Access, caller: Caller): Record<string, string> {
  if (caller.kind !== 'user' && caller.kind !== 'installation') return {}
  const required = typeof access === 'object' ? access : { permission: 'metadata', level: 'read' as const }
  const { permission, level, alternatives = [] } = required
  if (caller.kind === 'user' && caller.scopes)
    return { 'x-accepted-oauth-scopes': scopesThatAllow(permission, level).join(', ') }
  const accepted = [permission, ...alternatives].map((name) => `${name}=${level}`)
  return { 'x-accepted-github-permissions': accepted.join('; ') }
}

/** Adds an ETag to an answer, or answers 304 if the client already has this ETag. It is different for each token. */
export function conditional(
  reply: Reply,
  { 'if-none-match': known = '', authorization = '' }: IncomingHttpHeaders,
): Reply {
  if (reply.status !== 200) return reply
  const content = createHash('sha256').update(reply.page ?? JSON.stringify(reply.body))
  const etag = `W/"${content.update(authorization).digest('hex')}"`
  const headers = { ...reply.headers, etag }
  if (known.split(',').some((one) => one.trim() === etag)) return { status: 304, headers }
  return { ...reply, headers }
}
