/** The permissions and scopes of the local GitHub, with the names that GitHub uses. */
import type { PermissionLevel, Permissions } from '../../../github/event-permissions.ts'

export type { Permissions }

const levels: readonly PermissionLevel[] = ['read', 'write', 'admin']

export const isLevel = (value: unknown): value is PermissionLevel => levels.includes(value as PermissionLevel)

/** All permissions that the routes require, and `metadata`, which every GitHub App has. */
export const grantable: Permissions = {
  metadata: 'read',
  repository_hooks: 'write',
  organization_hooks: 'write',
  contents: 'write',
  issues: 'write',
  pull_requests: 'write',
  checks: 'write',
  statuses: 'write',
  members: 'read',
}

export function allows(permissions: Permissions, name: string, level: PermissionLevel): boolean {
  const granted = Object.hasOwn(permissions, name) ? permissions[name] : undefined
  return granted !== undefined && levels.indexOf(granted) >= levels.indexOf(level)
}

const repositoryScope: Permissions = {
  ...{ repository_hooks: 'write', issues: 'write', statuses: 'write', contents: 'write', pull_requests: 'write' },
  checks: 'read', // only an App may write them
}

/** The permissions of a classic token's scopes. */
const scopes: Record<string, Permissions> = {
  'admin:org_hook': { organization_hooks: 'write' },
  'admin:repo_hook': { repository_hooks: 'write' },
  public_repo: repositoryScope,
  'read:org': { members: 'read' },
  'read:repo_hook': { repository_hooks: 'read' },
  repo: repositoryScope,
  'repo:status': { statuses: 'write' },
  'write:repo_hook': { repository_hooks: 'write' },
}

export function permittedBy(names: readonly string[]): Permissions {
  const granted = new Map<string, PermissionLevel>()
  for (const [permission, level] of names.flatMap((name) => Object.entries(scopes[name] ?? {}))) {
    if (granted.get(permission) !== 'write') granted.set(permission, level)
  }
  return Object.fromEntries(granted)
}

/** The scopes that give a permission, in the order of their names. */
export function scopesThatAllow(permission: string, level: PermissionLevel): string[] {
  return Object.keys(scopes).filter((scope) => allows(scopes[scope] ?? {}, permission, level))
}
