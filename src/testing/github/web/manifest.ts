import { manifestPermissions } from '../../../github/app/permission-levels.ts'
import {
  eventPermissions,
  eventsNotForApps,
  eventsOfEveryApp,
  eventsWithoutPermission,
} from '../../../github/event-permissions.ts'
import { isObject, type Json, objectIn, parseObject, textIn } from '../../../runtime/json.ts'
import { allows, isLevel, type Permissions } from '../auth/permissions.ts'

/** The App that a manifest describes. */
export interface Manifest {
  name: string | undefined
  description: string | undefined
  homepage: string
  hook: { url: string; active: boolean } | undefined
  redirectUrl: string | undefined
  callbackUrls: readonly string[]
  setupUrl: string | undefined
  public: boolean
  events: readonly string[]
  permissions: Permissions
}

type Kind = 'string' | 'boolean' | 'array' | 'object'

/** The members of a manifest, from "Registering a GitHub App from a manifest" in GitHub's documentation. */
const members: Record<string, Kind> = {
  ...{ name: 'string', url: 'string', description: 'string', hook_attributes: 'object', redirect_url: 'string' },
  ...{ callback_urls: 'array', setup_url: 'string', public: 'boolean', request_oauth_on_install: 'boolean' },
  ...{ setup_on_update: 'boolean', default_events: 'array', default_permissions: 'object' },
}

const hookMembers: Record<string, Kind> = { url: 'string', active: 'boolean' }

/** @returns The manifest, or GitHub's messages if GitHub rejects it. */
export function parseManifest(text: string): Manifest | { errors: readonly string[] } {
  const json = parseObject(text)
  if (!json) return { errors: ['Problems parsing JSON'] }
  const hook = objectIn(json, 'hook_attributes')
  const wrong = [...wrongMembers(json, members, 'url'), ...(hook ? wrongMembers(hook, hookMembers, 'url') : [])]
  if (wrong.length > 0) return { errors: wrong }
  const events = ((json.default_events ?? []) as unknown[]).map(String)
  const permissions = (json.default_permissions ?? {}) as Permissions
  const errors = [...wrongAddresses(json), ...wrongPermissions(permissions), ...wrongEvents(events, permissions)]
  if (errors.length > 0) return { errors }
  return {
    ...{ name: textIn(json, 'name'), description: textIn(json, 'description'), homepage: textIn(json, 'url') ?? '' },
    hook: hook && { url: textIn(hook, 'url') ?? '', active: hook.active !== false },
    ...{ redirectUrl: textIn(json, 'redirect_url'), setupUrl: textIn(json, 'setup_url') },
    callbackUrls: callbackUrlsIn(json),
    ...{ public: json.public === true, events, permissions: { metadata: 'read', ...permissions } },
  }
}

/** GitHub's words for a member that is missing, unknown or of the wrong kind. They do not name the enclosing object. */
function wrongMembers(json: Json, known: Record<string, Kind>, required: string): string[] {
  const missing = Object.hasOwn(json, required) ? [] : [`"${required}" wasn't supplied.`]
  const wrong = Object.entries(json).flatMap(([name, value]) => {
    const kind = Object.hasOwn(known, name) ? known[name] : undefined
    if (!kind) return [`"${name}" is not a permitted key.`]
    if (isKind(value, kind)) return []
    return [`For 'properties/${name}', ${JSON.stringify(value)} is not ${/^[ao]/.test(kind) ? 'an' : 'a'} ${kind}.`]
  })
  return [...missing, ...wrong]
}

function isKind(value: unknown, kind: Kind): boolean {
  if (kind === 'object') return isObject(value)
  return kind === 'array' ? Array.isArray(value) : typeof value === kind
}

/** Unlike GitHub, this accepts a webhook at an address of this machine, because receivers of tests run there. */
function wrongAddresses(json: Json): string[] {
  const addresses: [field: string, address: string | undefined][] = [
    ['Url', textIn(json, 'url')],
    ['Hook url', textIn(objectIn(json, 'hook_attributes'), 'url')],
    ['Redirect url', textIn(json, 'redirect_url')],
    ['Setup url', textIn(json, 'setup_url')],
    ...callbackUrlsIn(json).map((address): [string, string] => ['Callback url', address]),
  ]
  const wrong = addresses.filter(([, address]) => address !== undefined && !isWebAddress(address))
  return wrong.map(([field]) => `${field} must be a valid URL`)
}

export const isWebAddress = (text: string): boolean => /^https?:$/.test(URL.parse(text)?.protocol ?? '')

const callbackUrlsIn = (json: Json): string[] => ((json.callback_urls ?? []) as unknown[]).map(String)

function wrongPermissions(permissions: Permissions): string[] {
  const entries = Object.entries(permissions)
  return [
    ...(entries.some(([name]) => !manifestPermissions.has(name))
      ? ['Default permission records resource is not included in the list']
      : []),
    ...(entries.some(([, level]) => !isLevel(level))
      ? ['Default permission records action is not included in the list']
      : []),
  ]
}

/**
 * The errors about the events of a manifest, as GitHub writes them. An event to which no App can subscribe is in two
 * errors. The first error says that the event is unsupported or invalid. The second error lists all events that the
 * permissions of the App do not allow. It also lists this event, because no permission allows the event.
 */
function wrongEvents(events: readonly string[], permissions: Permissions): string[] {
  const unknown = events.filter((event) => !Object.hasOwn(eventPermissions, event) && !isFree(event))
  const unsupported = unknown.filter((event) => eventsOfEveryApp.includes(event) || eventsNotForApps.includes(event))
  const invalid = unknown.filter((event) => !unsupported.includes(event))
  const forbidden = events.filter((event) => !isFree(event) && !isPermitted(event, permissions))
  return [
    ...(unsupported.length > 0 ? [`Default events unsupported: ${sentence(unsupported)}`] : []),
    ...(invalid.length > 0 ? [`Default events invalid: ${sentence(invalid)}`] : []),
    ...(forbidden.length > 0 ? [`Default events are not supported by permissions: ${sentence(forbidden)}`] : []),
  ]
}

const isFree = (event: string): boolean => eventsWithoutPermission.includes(event)

function isPermitted(event: string, permissions: Permissions): boolean {
  const needed = Object.hasOwn(eventPermissions, event) ? eventPermissions[event] : undefined
  if (!needed) return false
  const { permission, level = 'read', alternatives = [] } = needed
  // Every App may read the metadata of its repositories.
  return [permission, ...alternatives].some((name) => allows({ metadata: 'read', ...permissions }, name, level))
}

const list = new Intl.ListFormat('en')

const sentence = (words: readonly string[]): string => list.format(words)
