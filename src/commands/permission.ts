import type { AnyOctokit, Delivery } from '../delivery.ts'
import { digitsIn, type Json, objectIn, textIn } from '../runtime/json.ts'
import type { Command, CommandPermission } from './command.ts'
import type { Comment } from './comment.ts'

const otherUser =
  'The user who has this name on GitHub is not the user in the payload: their ids differ. The command is denied'

/** From low to high. */
const levels: readonly (CommandPermission | 'none')[] = ['none', 'read', 'triage', 'write', 'maintain', 'admin']

/**
 * The permission of a user on a repository, as GitHub answers now. Of a user with another id, who has taken over the
 * login since the comment, it is `none`.
 *
 * GitHub's `permission` is `read` for the role `triage`, and `write` for the role `maintain`. `role_name` tells them
 * apart. A custom role counts as the `permission` that it is based on.
 */
export async function permissionOf(
  octokit: AnyOctokit,
  repository: { owner: string; repo: string },
  { login: username, id }: Comment['author'],
  log: Delivery['log'],
): Promise<CommandPermission | 'none'> {
  const route = 'GET /repos/{owner}/{repo}/collaborators/{username}/permission'
  const data = await orMissing(octokit.request(route, { ...repository, username }))
  const found = digitsIn(objectIn(data, 'user'), 'id')
  if (found !== undefined && found !== id) log.warn({ username, id, found }, otherUser)
  if (found !== id) return 'none'
  const [permission, role] = [textIn(data, 'permission'), textIn(data, 'role_name')]
  if (permission === 'read' && role === 'triage') return 'triage'
  if (permission === 'write' && role === 'maintain') return 'maintain'
  return levels.find((level) => level === permission) ?? 'none'
}

export const includes = (permission: CommandPermission | 'none', needed: CommandPermission): boolean =>
  levels.indexOf(permission) >= levels.indexOf(needed)

/** Whether a user is a member of at least one of the teams, and not only invited. */
export async function isMember(octokit: AnyOctokit, teams: Command['teams'], username: string): Promise<boolean> {
  for (const team of teams) {
    const [org, team_slug] = team.split('/')
    const route = 'GET /orgs/{org}/teams/{team_slug}/memberships/{username}'
    const data = await orMissing(octokit.request(route, { org, team_slug, username }))
    if (textIn(data, 'state') === 'active') return true
  }
  return false
}

/** GitHub answers 404 about users and memberships that do not exist. */
async function orMissing(answer: Promise<{ data: unknown }>): Promise<Json | undefined> {
  try {
    return (await answer).data as Json
  } catch (error) {
    if ((error as { status?: unknown }).status === 404) return undefined
    throw error
  }
}
