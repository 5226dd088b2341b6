/** Permissions and scopes by GitHub's names, as far as a route here requires them. */

export type Level = 'read' | 'write'

/** `{ repository_hooks: 'read' }`: granted levels; writing includes reading. */
export type Permissions = Readonly<Record<string, Level>>

/** All permissions that the routes require. */
export const grantable: Permissions = {
  metadata: 'read',
  repository_hooks: 'write',
  organization_hooks: 'write',
  issues: 'write',
  statuses: 'write',
}

export function allows(permissions: Permissions, name: string, level: Level): boolean {
  const granted = Object.hasOwn(permissions, name) ? permissions[name] : undefined
  return granted === 'write' || granted === level
}

/** The permissions of a classic token's scopes. */
const scopes: Record<string, Permissions> = {
  repo: { repository_hooks: 'write', issues: 'write', statuses: 'write' },
  public_repo: { issues: 'write', statuses: 'write' },
  'repo:status': { statuses: 'write' },
  'read:repo_hook': { repository_hooks: 'read' },
  'write:repo_hook': { repository_hooks: 'write' },
  'admin:repo_hook': { repository_hooks: 'write' },
  'admin:org_hook': { organization_hooks: 'write' },
}

export function permittedBy(names: readonly string[]): Permissions {
  const granted = new Map<string, Level>()
  for (const [permission, level] of names.flatMap((name) => Object.entries(scopes[name] ?? {}))) {
    if (granted.get(permission) !== 'write') granted.set(permission, level)
  }
  return Object.fromEntries(granted)
}
