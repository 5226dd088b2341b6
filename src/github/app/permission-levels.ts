import { eventPermissions, type PermissionLevel, type Permissions } from '../event-permissions.ts'

/**
 * The permissions of repositories and organizations that an App can have, with their levels: the schema
 * `app-permissions` of GitHub's OpenAPI description (`@octokit/openapi` 23.0.2), and the permission for
 * `repository_advisory`, which the schema lacks. GitHub adds new permissions, so an unknown one is not an error.
 */
const levels = {
  actions: 'read write',
  administration: 'read write',
  artifact_metadata: 'read write',
  attestations: 'read write',
  checks: 'read write',
  code_quality: 'read write',
  codespaces: 'read write',
  contents: 'read write',
  dependabot_secrets: 'read write',
  deployments: 'read write',
  discussions: 'read write',
  environments: 'read write',
  issues: 'read write',
  merge_queues: 'read write',
  metadata: 'read',
  packages: 'read write',
  pages: 'read write',
  pull_requests: 'read write',
  repository_advisories: 'read write',
  repository_custom_properties: 'read write',
  repository_hooks: 'read write',
  repository_projects: 'read write admin',
  secret_scanning_alerts: 'read write',
  secrets: 'read write',
  security_events: 'read write',
  single_file: 'read write',
  statuses: 'read write',
  vulnerability_alerts: 'read write',
  workflows: 'write',
  members: 'read write',
  organization_administration: 'read write',
  organization_announcement_banners: 'read write',
  organization_copilot_seat_management: 'read write',
  organization_custom_org_roles: 'read write',
  organization_custom_properties: 'read write admin',
  organization_custom_roles: 'read write',
  organization_events: 'read',
  organization_hooks: 'read write',
  organization_packages: 'read write',
  organization_personal_access_token_requests: 'read write',
  organization_personal_access_tokens: 'read write',
  organization_plan: 'read',
  organization_projects: 'read write admin',
  organization_secrets: 'read write',
  organization_self_hosted_runners: 'read write',
  organization_user_blocking: 'read write',
} as const

type Words<Text extends string> = Text extends `${infer Word} ${infer Rest}` ? Word | Words<Rest> : Text

/** Permissions with levels that GitHub offers for them. */
export type PermissionLevels = { readonly [Name in keyof typeof levels]?: Words<(typeof levels)[Name]> }

export const knownPermissions: readonly string[] = Object.keys(levels)

/**
 * The permissions that a manifest can list: those with levels above, those of the events, and those that only the schema
 * for the App of a user has. The manifest has `emails` and `keys` where that schema has `email_addresses` and
 * `git_ssh_keys`.
 */
export const manifestPermissions: ReadonlySet<string> = new Set([
  ...knownPermissions,
  ...Object.values(eventPermissions).flatMap(({ permission, alternatives = [] }) => [permission, ...alternatives]),
  ...['actions_variables', 'custom_properties_for_organizations', 'emails'],
  ...['enterprise_custom_properties_for_organizations', 'followers', 'gpg_keys', 'interaction_limits', 'keys'],
  ...['organization_copilot_agent_settings', 'profile', 'starring'],
])

/** The levels that GitHub offers for a permission. An unknown permission may have any level. */
export const levelsOf = (permission: string): readonly PermissionLevel[] =>
  (Object.hasOwn(levels, permission) ? levels[permission as keyof typeof levels] : 'read write admin').split(
    ' ',
  ) as PermissionLevel[]

const ranks: Readonly<Record<PermissionLevel, number>> = { read: 1, write: 2, admin: 3 }

export const isLevel = (value: unknown): value is PermissionLevel =>
  typeof value === 'string' && Object.hasOwn(ranks, value)

/** Whether one level includes another: a permission to write includes the one to read. */
export const includesLevel = (granted: PermissionLevel | undefined, needed: PermissionLevel): boolean =>
  granted !== undefined && ranks[granted] >= ranks[needed]

/**
 * Whether an App has the permissions that a request needs.
 * @param needed As in the header `X-Accepted-GitHub-Permissions`: `issues=write; pull_requests=write` needs one of both,
 *   and a comma needs all.
 */
export const isGranted = (needed: string, permissions: Permissions): boolean =>
  needed.split(';').some((alternative) =>
    alternative.split(',').every((part) => {
      const [name = '', level] = part.trim().split('=')
      return isLevel(level) && includesLevel(name === 'metadata' ? 'read' : permissions[name], level)
    }),
  )

/** The permissions of the header for people: `issues=write or pull_requests=write`. */
export const formatNeeded = (needed: string): string =>
  needed.replaceAll(/\s*;\s*/g, ' or ').replaceAll(/\s*,\s*/g, ' and ')
