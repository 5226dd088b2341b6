/** An App, its webhook and its installations, as GitHub's API shows them to the App. */
import { isObject, type Json, objectIn, textIn, wholeNumberIn } from '../../runtime/json.ts'
import type { Permissions } from '../event-permissions.ts'
import type { RequestError, Requester } from '../requester.ts'
import { ownerIn } from './conversion.ts'
import { isLevel } from './permission-levels.ts'

export interface AppDetails {
  id: number
  name: string
  slug: string
  clientId: string | undefined
  owner: AppOwner
  /** The address of its public page. */
  page: string
  permissions: Permissions
  /** GitHub leaves out `meta`, `security_advisory` and the events that every App gets. */
  events: readonly string[]
}

export interface AppOwner {
  login: string
  isOrganization: boolean
}

export interface Installation {
  id: number
  account: string
  /** Whether it covers all repositories of the account. */
  coversAll: boolean
  permissions: Permissions
  events: readonly string[]
  isSuspended: boolean
  /** The address of its page. */
  page: string
}

export interface AppHook {
  /** `undefined` if the App has no webhook. */
  url: string | undefined
  contentType: string | undefined
  /** GitHub never shows the secret itself. */
  hasSecret: boolean
  verifiesTls: boolean
}

export async function readAppDetails(github: Requester): Promise<AppDetails> {
  const { data } = await github.request('GET /app')
  const json = isObject(data) ? data : {}
  return {
    id: wholeNumberIn(json, 'id') ?? 0,
    name: textIn(json, 'name') ?? '',
    slug: textIn(json, 'slug') ?? '',
    clientId: textIn(json, 'client_id'),
    owner: { login: ownerIn(json), isOrganization: textIn(objectIn(json, 'owner'), 'type') === 'Organization' },
    page: textIn(json, 'html_url') ?? '',
    ...grantsIn(json),
  }
}

export async function readAppHook(github: Requester): Promise<AppHook> {
  const { data } = await github.request('GET /app/hook/config').catch((error: RequestError) => {
    if (error.status === 404) return { data: {} } // an App may have no webhook
    throw error
  })
  const json = isObject(data) ? data : {}
  return {
    url: textIn(json, 'url') || undefined,
    contentType: textIn(json, 'content_type'),
    hasSecret: Boolean(textIn(json, 'secret')),
    verifiesTls: String(json.insecure_ssl ?? '0') === '0',
  }
}

/** Sets the secret of the App's webhook, and leaves its other properties as they are. */
export async function setHookSecret(github: Requester, secret: string): Promise<void> {
  await github.request('PATCH /app/hook/config', { secret })
}

/** Installations in a page: the most that GitHub allows. */
const pageSize = 100

export async function readInstallations(github: Requester): Promise<Installation[]> {
  const found: Installation[] = []
  for (let page = 1, full = true; full; page++) {
    const { data } = await github.request('GET /app/installations', { per_page: pageSize, page })
    const list = (Array.isArray(data) ? data : []).filter(isObject)
    found.push(...list.map(installationOf))
    full = list.length === pageSize
  }
  return found
}

function installationOf(json: Json): Installation {
  const account = objectIn(json, 'account')
  return {
    id: wholeNumberIn(json, 'id') ?? 0,
    account: textIn(account, 'login') ?? textIn(account, 'slug') ?? 'unknown',
    coversAll: textIn(json, 'repository_selection') === 'all',
    isSuspended: Boolean(textIn(json, 'suspended_at')),
    page: textIn(json, 'html_url') ?? '',
    ...grantsIn(json),
  }
}

function grantsIn(json: Json): { permissions: Permissions; events: string[] } {
  const permissions = Object.entries(objectIn(json, 'permissions') ?? {}).filter(([, level]) => isLevel(level))
  const { events } = json
  return {
    permissions: Object.fromEntries(permissions) as Permissions,
    events: Array.isArray(events) ? events.filter((event) => typeof event === 'string') : [],
  }
}

/** The page on which the owner changes the App. @param github The address of GitHub's pages. */
export function settingsPage(github: string, { owner, slug }: Pick<AppDetails, 'owner' | 'slug'>): string {
  const prefix = owner.isOrganization ? `/organizations/${owner.login}` : ''
  return `${github}${prefix}/settings/apps/${slug}`
}
