import { textIn } from '../../../runtime/json.ts'
import { paged } from '../http/paging.ts'
import { created, HttpError, notFound, ok, type Reply } from '../http/reply.ts'
import type { Call } from '../http/route.ts'
import { branchItem, branchShape, refShape } from '../shapes/ref.ts'
import { defaultBranch, isSha } from '../world/branches.ts'
import { authorIn, repositoryIn } from './author.ts'
import { push } from './push.ts'

export function listBranches(call: Call): Reply {
  const { world, url } = call
  const repository = repositoryIn(call)
  const { names } = world.contentOf(repository).branches
  return paged(url, names, (some) => some.map((name) => branchItem(world, repository, name)))
}

export function getBranch(call: Call): Reply {
  const repository = repositoryIn(call)
  const { branch = '' } = call.parameters
  if (!call.world.contentOf(repository).branches.has(branch)) throw notFound('Branch not found')
  return ok(branchShape(call.world, repository, branch))
}

export function getRef(call: Call): Reply {
  const branch = branchIn(call.parameters.ref ?? '')
  const repository = repositoryIn(call)
  if (branch === undefined || !call.world.contentOf(repository).branches.has(branch)) throw notFound()
  return ok(refShape(call.world, repository, branch))
}

/** Lists the branches whose ref begins with a text, such as `heads/feature`. */
export function listMatchingRefs(call: Call): Reply {
  const { world, url, parameters } = call
  const repository = repositoryIn(call)
  const { names } = world.contentOf(repository).branches
  const matching = names.filter((name) => `heads/${name}`.startsWith(parameters.ref ?? '')).toSorted()
  return paged(url, matching, (some) => some.map((name) => refShape(world, repository, name)))
}

/** Creates a branch. The local GitHub has no tags that a client can create. */
export function createRef(call: Call): Reply {
  const [ref, sha] = [textIn(call.body, 'ref'), textIn(call.body, 'sha')]
  const branch = ref?.startsWith('refs/') ? branchIn(ref.slice('refs/'.length)) : undefined
  if (!branch) throw new HttpError(422, "Reference name must start with 'refs/heads/'")
  const author = authorIn(call)
  const { branches } = author.content
  if (branches.has(branch)) throw new HttpError(422, 'Reference already exists')
  checkCommit(call, sha)
  push(author, branch, () => branches.place(branch, sha ?? ''))
  return created(refShape(author.world, author.repository, branch))
}

export function updateRef(call: Call): Reply {
  const sha = textIn(call.body, 'sha')
  const author = authorIn(call)
  const { branches } = author.content
  const branch = existingBranchIn(call)
  checkCommit(call, sha)
  const isForward = branches.history(sha ?? '')?.some((commit) => commit.sha === branches.head(branch)) ?? false
  const keeps = isForward || branches.commits(branch).length === 0
  if (!keeps && call.body.force !== true) throw new HttpError(422, 'Update is not a fast forward')
  push(author, branch, () => branches.place(branch, sha ?? ''), !keeps)
  return ok(refShape(author.world, author.repository, branch))
}

export function deleteRef(call: Call): Reply {
  const author = authorIn(call)
  const branch = existingBranchIn(call)
  // GitHub refuses it, too. The text is an assumption.
  if (branch === defaultBranch) throw new HttpError(422, 'Cannot delete the default branch')
  push(author, branch, () => author.content.branches.delete(branch))
  return { status: 204 }
}

/** `feature` for `heads/feature`. */
const branchIn = (ref: string): string | undefined => /^heads\/(.+)$/.exec(ref)?.[1]

function existingBranchIn(call: Call): string {
  const branch = branchIn(call.parameters.ref ?? '')
  if (branch !== undefined && call.world.contentOf(repositoryIn(call)).branches.has(branch)) return branch
  throw new HttpError(422, 'Reference does not exist')
}

/** @throws {HttpError} if the repository has no such commit. */
function checkCommit(call: Call, sha: string | undefined): void {
  if (sha !== undefined && isSha(sha) && call.world.contentOf(repositoryIn(call)).branches.history(sha)) return
  throw new HttpError(422, 'Object does not exist')
}
