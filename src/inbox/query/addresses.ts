/** Addresses of GitHub, as an operator copies them from a browser, a commit message or a terminal. */
import type { Expression, Test } from './query.ts'

/** Maximum length of a branch that an address names, in parts between slashes. */
const maxBranchParts = 8

/** Describes the addresses that a search understands. */
export const expectedAddress: string =
  'the address of a repository, pull request, issue, discussion, commit, branch, tag or release; for other addresses, ' +
  'search in the payload, as in workflow_run.html_url:"https://…"'

/**
 * The condition that a pasted address stands for: a URL on any host, `git@github.com:acme/shop.git`, `acme/shop#182`,
 * `acme/shop@c0ffee1`, `#182`, `refs/heads/main`, the GUID of a delivery, or the SHA of a commit. Ignores the punctuation
 * around it. `undefined` if the text is no address. `'unknown'` for an address without a column to find it by.
 */
export function addressIn(pasted: string): Expression | 'unknown' | undefined {
  const text = withoutPunctuation(pasted)
  const [, inRepository, number] = /^([\w.-]+\/[\w.-]+)?#(\d{1,15})$/.exec(text) ?? []
  if (number !== undefined) return inRepository ? all(repository(inRepository), numbered(number)) : numbered(number)
  const [, repositoryOfCommit, commit] = /^([\w.-]+\/[\w.-]+)@([0-9a-f]{7,64})$/i.exec(text) ?? []
  if (repositoryOfCommit && commit) return all(repository(repositoryOfCommit), commitTest(commit))
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return { column: 'guid', is: text.toLowerCase() }
  if (isCommit(text)) return commitTest(text)
  const [, cloned] = /^[\w-]+@[\w.-]+:(.+)$/.exec(text) ?? []
  if (cloned) return /^[\w.-]+\/[\w.-]+$/.test(cloned) ? repository(cloned) : 'unknown'
  return refIn(text) ?? urlIn(text)
}

/** A text without brackets around it, and without punctuation after it. Keeps the brackets in `tree/fix(x)`. */
function withoutPunctuation(text: string): string {
  const opened = text.replace(/^[<([{'`]+/, '')
  return opened.replace(/[([{]/.test(opened) ? /[>,.;:!?'`]+$/ : /[>)\]},.;:!?'`]+$/, '')
}

/**
 * Whether a word is the SHA of a commit: 7 digits or more, hexadecimal. A short one must have a letter and a digit,
 * because `defaced` is a word and `20260131` a number.
 */
function isCommit(text: string): boolean {
  if (!/^[0-9a-f]{7,64}$/i.test(text)) return false
  return text.length >= 40 || (/\d/.test(text) && /[a-f]/i.test(text))
}

/** A test of a SHA, which may be shortened. */
export function commitTest(sha: string): Test {
  const isWhole = sha.length === 40 || sha.length === 64
  const hex = sha.toLowerCase()
  return isWhole ? { column: 'sha', is: hex } : { column: 'sha', startsWith: hex }
}

/** A test of a branch or a tag. Some events have its full ref, and others only its name. */
export function refTest(kind: 'heads' | 'tags', name: string, match: 'is' | 'startsWith' = 'is'): Expression {
  const texts = [`refs/${kind}/${name}`, name]
  return { any: texts.map((text) => ({ column: 'ref', [match]: text }) as Test) }
}

/** A full ref, which may end with the wildcard `*`. */
function refIn(text: string): Expression | undefined {
  const [, ref, kind, name = '', wildcard] = /^(refs\/(?:(heads|tags)\/)?([^*]*))(\*?)$/.exec(text) ?? []
  if (ref === undefined) return undefined
  const match = wildcard ? 'startsWith' : 'is'
  if (kind && (name || wildcard)) return refTest(kind as 'heads' | 'tags', name, match)
  return { column: 'ref', [match]: ref } as Test
}

const all = (...expressions: Expression[]): Expression => ({ all: expressions })
const repository = (name: string): Test => ({ column: 'repository', is: name.replace(/\.git$/, '') })
const numbered = (digits: string): Test => ({ column: 'number', is: Number(digits) })
const organization = (name: string): Test => ({ column: 'repository', startsWith: `${name}/` })

/**
 * A host without a scheme. It needs a port or a path of two names, unless it is GitHub's, so that `index.html/x` is a word.
 * No repository has such a name, because the name of an owner has no dot.
 */
const host = /^((www\.)?github\.com\/|[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}(:\d{2,5}\/|\/[^/]+\/)[^/])/i

function urlIn(text: string): Expression | 'unknown' | undefined {
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
  if (!hasScheme && !host.test(text)) return undefined
  const names = namesIn(hasScheme ? text : `https://${text}`)
  return (names && placeIn(names)) ?? 'unknown'
}

/** Hosts without pages of repositories, such as `gist.github.com` and `docs.github.com`. */
const otherHosts = /^gist\.|^(?!(www|api|ssh)\.)[^.]+\.github\.com$/

/** The names in the path of a URL, without those that only the API has. */
function namesIn(text: string): string[] | undefined {
  try {
    const { hostname, pathname } = new URL(text)
    if (otherHosts.test(hostname)) return undefined
    const names = decodeURIComponent(pathname.replace(/^\/(api\/v3\/)?(repos\/)?/, '')).split('/')
    return names.filter((name) => name !== '')
  } catch {
    return undefined
  }
}

/** The condition for the path of a page. `undefined` if no column contains the number or name in the path. */
function placeIn([owner, name, kind, ...rest]: readonly string[]): Expression | undefined {
  if (owner === undefined) return undefined
  if (name === undefined) return organization(owner)
  if (owner === 'orgs') return kind === undefined ? organization(name) : undefined
  const place = repository(`${owner}/${name}`)
  if (kind === undefined) return place
  const [first] = rest
  if (first === undefined) return lists.includes(kind) ? place : undefined
  const subject = subjectIn(kind, first, rest)
  return subject && all(place, subject)
}

/** Pages of a repository that show a list. */
const lists = ['pulls', 'issues', 'discussions', 'commits', 'branches', 'tags', 'releases', 'actions', 'deployments']

function subjectIn(kind: string, first: string, rest: readonly string[]): Expression | undefined {
  if (['pull', 'pulls', 'issues', 'discussions'].includes(kind)) {
    return /^\d{1,15}$/.test(first) ? numbered(first) : undefined
  }
  if (['commit', 'commits'].includes(kind) && /^[0-9a-f]{7,64}$/i.test(first)) return commitTest(first)
  if (['tree', 'blob', 'commits'].includes(kind)) return branchAt(rest)
  if (kind === 'releases' && first === 'tag' && rest.length > 1) return refTest('tags', rest.slice(1).join('/'))
  return undefined
}

/**
 * The branch at the beginning of a path. In `feature/x/src`, the branch may be `feature`, `feature/x` or
 * `feature/x/src`. A repository has only one of them, because Git cannot have both `feature` and `feature/x`.
 */
function branchAt(names: readonly string[]): Expression {
  const branches = names.slice(0, maxBranchParts).map((_, index) => names.slice(0, index + 1).join('/'))
  return { any: branches.map((branch) => refTest('heads', branch)) }
}
