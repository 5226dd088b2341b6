import { sees } from '../http/guard.ts'
import { paged } from '../http/paging.ts'
import { invalid, type Reply } from '../http/reply.ts'
import type { Call } from '../http/route.ts'
import { issueItem } from '../shapes/issue.ts'
import type { Issue } from '../world/repository-content.ts'
import { hasLabel } from './labels.ts'

type Condition = (issue: Issue) => boolean

const isLogin = (account: { login: string }, login: string): boolean =>
  account.login.toLowerCase() === login.toLowerCase()

/** The qualifiers of a search, with the condition for a value. */
const qualifiers: Readonly<Record<string, (value: string) => Condition | undefined>> = {
  repo:
    (value) =>
    ({ repository }) =>
      repository.fullName.toLowerCase() === value.toLowerCase(),
  org:
    (value) =>
    ({ repository }) =>
      isLogin(repository.owner, value),
  user:
    (value) =>
    ({ repository }) =>
      isLogin(repository.owner, value),
  author:
    (value) =>
    ({ user }) =>
      isLogin(user, value),
  assignee:
    (value) =>
    ({ assignees }) =>
      assignees.some((one) => isLogin(one, value)),
  label: (value) => (issue) => hasLabel(issue, value),
  head:
    (value) =>
    ({ pull }) =>
      pull?.head.ref === value,
  base:
    (value) =>
    ({ pull }) =>
      pull?.base.ref === value,
  no: (value) => kinds[`no ${value}`],
  is: (value) => kinds[value],
  type: (value) => kinds[value],
  state: (value) => kinds[value],
}

const kinds: Readonly<Record<string, Condition>> = {
  issue: ({ pull }) => !pull,
  pr: ({ pull }) => pull !== undefined,
  'pull-request': ({ pull }) => pull !== undefined,
  open: ({ state }) => state === 'open',
  closed: ({ state }) => state === 'closed',
  merged: ({ pull }) => pull?.merge !== undefined,
  unmerged: ({ pull }) => pull !== undefined && !pull.merge,
  draft: ({ pull }) => pull?.draft === true,
  public: ({ repository }) => !repository.private,
  private: ({ repository }) => repository.private,
  'no assignee': ({ assignees }) => assignees.length === 0,
  'no label': ({ labels }) => labels.length === 0,
}

/** Searches the issues and pull requests that the caller may see, newest first unless `order` is `asc`. */
export function searchIssues(call: Call): Reply {
  const { world, url, caller } = call
  const text = url.searchParams.get('q') ?? ''
  if (text.trim() === '') throw invalid('Search', 'q', 'missing')
  const conditions = conditionsIn(text)
  const time = url.searchParams.get('sort') === 'updated' ? 'updatedAt' : 'createdAt'
  const found = world.repositories
    .filter((repository) => !repository.private || sees(caller, repository))
    .flatMap((repository) => [...world.contentOf(repository).issues.values()])
    .filter((issue) => conditions.every((holds) => holds(issue)))
    .toSorted((one, other) => one[time] - other[time] || one.id - other.id)
  const ordered = url.searchParams.get('order') === 'asc' ? found : found.toReversed()
  return paged(url, ordered, (some) => ({
    ...{ total_count: ordered.length, incomplete_results: false, search_type: 'lexical' },
    // Unlike the text of an issue elsewhere, that of a result is described as a text even if it is missing.
    items: some.map((issue) => ({ ...issueItem(world, issue), body: issue.body ?? '', score: 1 })),
  }))
}

/** The conditions of a search text: `repo:octo/hello -label:"help wanted" broken cart`. */
function conditionsIn(text: string): Condition[] {
  const terms = text.matchAll(/(-?)(?:([a-z]+):)?(?:"([^"]*)"|(\S+))/g)
  return [...terms].map(([, minus, name, quoted, plain = '']) => {
    const condition = name === undefined ? containing(quoted ?? plain) : qualified(name, quoted ?? plain)
    return minus ? (issue: Issue) => !condition(issue) : condition
  })
}

const containing =
  (text: string): Condition =>
  ({ title, body }) =>
    `${title}\n${body ?? ''}`.toLowerCase().includes(text.toLowerCase())

/** GitHub ignores some qualifiers that it does not know. Here, such a search would find too much without any notice. */
function qualified(name: string, value: string): Condition {
  const condition = Object.hasOwn(qualifiers, name) ? qualifiers[name]?.(value) : undefined
  if (condition) return condition
  throw invalid('Search', 'q', 'invalid', `The local GitHub does not know ${name}:${value}`)
}
