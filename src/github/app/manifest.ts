/** The manifest of a new App: https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest */
import { appsPage } from '../addresses.ts'
import type { PermissionLevel, Permissions } from '../event-permissions.ts'
import { type AppNeeds, permits } from './needs.ts'
import { levelsOf } from './permission-levels.ts'

export interface AppManifest {
  name: string
  description?: string
  /** The homepage, which GitHub requires. */
  url: string
  hook_attributes: { url: string; active: boolean }
  redirect_url: string
  public: boolean
  default_permissions: Permissions
  default_events: readonly string[]
}

/** GitHub's limit for the name of an App, in characters. */
export const maxNameLength = 34

/**
 * The URL of an App's webhook if the server pulls the deliveries. GitHub requires a URL. This host cannot
 * exist (RFC 6761), so GitHub's attempts reach no server.
 */
export const unreachableUrl = 'https://hookserver.invalid/'

interface ManifestOptions {
  name: string
  description: string | undefined
  homepage: string
  /** The URL that GitHub delivers to. Default: `unreachableUrl`. */
  url: string | undefined
  redirectUrl: string
  isPublic: boolean
}

export function createManifest(
  { events, permissions }: Pick<AppNeeds, 'events' | 'permissions'>,
  { name, description, homepage, url, redirectUrl, isPublic }: ManifestOptions,
): AppManifest {
  return {
    name: name.trim().slice(0, maxNameLength).trim(),
    ...(description !== undefined && { description }),
    url: homepage,
    hook_attributes: { url: url ?? unreachableUrl, active: true },
    redirect_url: redirectUrl,
    public: isPublic,
    default_permissions: permissions,
    default_events: events,
  }
}

/** The fields of the form in which the user edits a manifest. */
export const permissionField = (permission: string): string => `permission.${permission}`
export const eventField = 'event'

/**
 * The manifest with the values of a form, and the problems for which GitHub would refuse this manifest.
 * @param offered The permissions and events that the form offers. Any others in `form` are ignored.
 */
export function editManifest(
  manifest: AppManifest,
  form: URLSearchParams,
  offered: { permissions: readonly string[]; events: readonly string[] },
): { manifest: AppManifest; problems: readonly string[] } {
  const levels = offered.permissions.flatMap((name): [string, PermissionLevel][] => {
    const level = levelsOf(name).find((one) => one === form.get(permissionField(name)))
    return level === undefined ? [] : [[name, level]]
  })
  const [name, description] = ['name', 'description'].map((field) => (form.get(field) ?? '').trim())
  const chosen = form.getAll(eventField)
  const { description: _, ...others } = manifest
  const edited: AppManifest = {
    ...others,
    name: name ?? '',
    ...(description && { description }),
    default_permissions: Object.fromEntries(levels),
    default_events: offered.events.filter((event) => chosen.includes(event)),
  }
  return { manifest: edited, problems: problemsOf(edited) }
}

function problemsOf({ name, default_permissions, default_events }: AppManifest): string[] {
  const lengths = name === '' || name.length > maxNameLength
  const notAllowed = default_events.filter((event) => !permits(default_permissions, event))
  return [
    ...(lengths ? [`The name needs 1 to ${maxNameLength} characters`] : []),
    ...notAllowed.map((event) => `The event ${event} needs a permission that is not selected`),
  ]
}

/** The page of GitHub that accepts the manifest. @param organization The owner. Default: the user who is signed in. */
export function registrationPage(github: string, organization: string | undefined, state: string): string {
  return `${appsPage(github, organization)}/new?state=${encodeURIComponent(state)}`
}
