/** An App, its webhook and its installations, as GitHub's API shows them to the App. */
import { idIn, isObject, type Json, objectIn, textIn, webAddressIn } from '../../runtime/json.ts'
import { appsPage } from '../addresses.ts'
import { parseAnswer } from '../answer.ts'
import type { Permissions } from '../event-permissions.ts'
import { listItems, type RequestError, type Requester } from '../requester.ts'
import { configIn, type WebhookConfig } from '../webhooks/webhook-details.ts'
import { loginIn } from './conversion.ts'
import { isLevel } from './permission-levels.ts'

export interface AppDetails {
  id: string
  name: string
  slug: string
  clientId: string | undefined
  owner: AppOwner
  /** The address of the App's public page. */
  page: string
  permissions: Permissions
  /** The events of the App. GitHub leaves out `meta`, `security_advisory` and the events that every App gets. */
  events: readonly string[]
}

interface AppOwner {
  login: string
  isOrganization: boolean
}

export interface InstallationDetails {
  id: string
  account: string
  /** Whether the installation covers all repositories of the account. */
  coversAll: boolean
  permissions: Permissions
  events: readonly string[]
  isSuspended: boolean
  /** The address of the page with the settings of the installation. */
  page: string
}

export interface AppWebhook extends Omit<WebhookConfig, 'url'> {
  /** `undefined` if the App has no webhook. */
  url: string | undefined
}

/** @throws {Error} also if the answer describes no App, because then it comes from another server, not from GitHub. */
export async function readAppDetails(github: Requester): Promise<AppDetails> {
  const data = parseAnswer((await github.request('GET /app')).text)
  const json = isObject(data) ? data : {}
  const id = idIn(json)
  if (id === undefined) throw new Error('The answer describes no App: check that --github or --api-url names GitHub')
  return {
    id,
    name: textIn(json, 'name') ?? '',
    slug: textIn(json, 'slug') ?? '',
    clientId: textIn(json, 'client_id'),
    owner: {
      login: loginIn(objectIn(json, 'owner')),
      isOrganization: textIn(objectIn(json, 'owner'), 'type') === 'Organization',
    },
    page: webAddressIn(json, 'html_url') ?? '',
    ...grantsIn(json),
  }
}

export async function readAppWebhook(github: Requester): Promise<AppWebhook> {
  const { text } = await github.request('GET /app/hook/config').catch((error: RequestError) => {
    if (error.status === 404) return { text: '{}' } // an App may have no webhook
    throw error
  })
  const data = parseAnswer(text)
  const config = configIn(isObject(data) ? data : {})
  return { ...config, url: config.url || undefined }
}

/** Sets the secret of the App's webhook, and leaves its other properties as they are. */
export async function setWebhookSecret(github: Requester, secret: string): Promise<void> {
  await github.request('PATCH /app/hook/config', { secret })
}

/** @param max The maximum number of installations. Default: all. */
export async function readInstallations(
  github: Requester,
  max: number = Number.POSITIVE_INFINITY,
): Promise<InstallationDetails[]> {
  const installations: InstallationDetails[] = []
  for await (const item of listItems(github, '/app/installations')) {
    if (installations.push(installationOf(item)) >= max) break
  }
  return installations
}

function installationOf(json: Json): InstallationDetails {
  return {
    id: idIn(json) ?? '0',
    account: loginIn(objectIn(json, 'account')),
    coversAll: textIn(json, 'repository_selection') === 'all',
    isSuspended: Boolean(textIn(json, 'suspended_at')),
    page: webAddressIn(json, 'html_url') ?? '',
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
  return `${appsPage(github, owner.isOrganization ? owner.login : undefined)}/${encodeURIComponent(slug)}`
}
