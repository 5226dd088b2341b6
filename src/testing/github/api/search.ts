import { HttpError, invalid, type Reply } from '../http/reply.ts'
import type { Call } from '../http/route.ts'
import { issueItem } from '../shapes/issue.ts'
import { repositoryShape, repositoryUrl } from '../shapes/repository.ts'
import { blobSha, defaultBranch } from '../world/branches.ts'
import type { Account, Repository } from '../world/repository.ts'
import type { Issue } from '../world/repository-content.ts'
import { hasLabel } from './labels.ts'
import { type Condition, ordered, resultsPage, type Searchable, search, termsIn } from './search-query.ts'

const hasText = (text: string, part: string): boolean => text.toLowerCase().includes(part.toLowerCase())

const isLogin = (account: Account, login: string): boolean => account.login.toLowerCase() === login.toLowerCase()

/** The kinds of issues, for `is`, `type`, `state` and `no`. */
const kinds: Readonly<Record<string, Condition<Issue>>> = {
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

const kindOf = (name: string): Condition<Issue> | undefined => (Object.hasOwn(kinds, name) ? kinds[name] : undefined)

/** Searches the issues and pull requests that the caller may see, newest first unless `order` is `asc`. */
export function searchIssues(call: Call): Reply {
  const { world, url } = call
  const found = search<Issue>(call, termsIn(call), {
    itemsOf: (repository) => [...world.contentOf(repository).issues.values()],
    qualifiers: {
      author: (value) => (issue) => isLogin(issue.user, value),
      assignee: (value) => (issue) => issue.assignees.some((one) => isLogin(one, value)),
      label: (value) => (issue) => hasLabel(issue, value),
      head: (value) => (issue) => issue.pull?.head.ref === value,
      base: (value) => (issue) => issue.pull?.base.ref === value,
      no: (value) => kindOf(`no ${value}`),
      ...{ is: kindOf, type: kindOf, state: kindOf },
    },
    containing: (text) => (issue) => hasText(`${issue.title}\n${issue.body ?? ''}`, text),
  })
  const time = url.searchParams.get('sort') === 'updated' ? 'updatedAt' : 'createdAt'
  // Unlike the text of an issue elsewhere, that of a result is described as a text even if it is missing.
  const reply = resultsPage(
    call,
    ordered(call, found, (issue) => issue[time]),
    'whole',
    (issue) => {
      return { ...issueItem(world, issue), body: issue.body ?? '' }
    },
  )
  return { ...reply, body: { ...(reply.body as object), search_type: 'lexical' } }
}

/** Searches the names of the repositories that the caller may see, newest first unless `order` is `asc`. */
export function searchRepositories(call: Call): Reply {
  const visibility = (value: string): Condition<Repository> | undefined =>
    value === 'public' || value === 'private' ? (one) => one.private === (value === 'private') : undefined
  const found = search<Repository>(call, termsIn(call), {
    itemsOf: (repository) => [repository],
    qualifiers: { is: visibility, in: (value) => (value === 'name' ? () => true : undefined) },
    containing: (text) => (repository) => hasText(repository.name, text),
  })
  const results = ordered(call, found, ({ createdAt }) => createdAt)
  return resultsPage(call, results, 'whole', (repository) => repositoryShape(call.world, repository))
}

/** A file of a default branch. */
interface CodeFile {
  repository: Repository
  path: string
  content: Uint8Array
}

/** In bytes: GitHub does not search larger files. */
const maxSearchedSize = 384 * 1024

const nameOf = (path: string): string => path.split('/').at(-1) ?? ''

/** The qualifiers that limit a search of code to some files, with the condition for a value. */
const fileQualifiers: Searchable<CodeFile>['qualifiers'] = {
  path: (value) => {
    const folder = value.replace(/^\/|\/$/g, '')
    return ({ path }) => (folder === '' ? !path.includes('/') : path.startsWith(`${folder}/`))
  },
  filename:
    (value) =>
    ({ path }) =>
      hasText(nameOf(path), value),
  extension:
    (value) =>
    ({ path }) =>
      path.toLowerCase().endsWith(`.${value.replace(/^\./, '').toLowerCase()}`),
}

/** Searches the files of the default branches. */
export function searchCode(call: Call): Reply {
  const { world, caller } = call
  if (caller.kind === 'anonymous')
    throw new HttpError(401, 'Requires authentication', {
      errors: [invalidQuery('Must be authenticated to access the code search API')],
    })
  const terms = termsIn(call)
  const isTerm = (name: string | undefined) => name === undefined || Object.hasOwn(fileQualifiers, name)
  // GitHub documents that a search needs a word. The text is ours.
  if (!terms.some(({ name }) => isTerm(name)))
    throw invalid('Search', 'q', 'invalid', 'Must include at least one search term')
  const found = search<CodeFile>(call, terms, {
    itemsOf: (repository) =>
      [...world.contentOf(repository).branches.files(defaultBranch)]
        .map(([path, content]) => ({ repository, path, content }))
        .filter(({ content }) => content.length <= maxSearchedSize),
    qualifiers: fileQualifiers,
    containing: (text) => (file) => hasText(Buffer.from(file.content).toString(), text),
  })
  return resultsPage(call, found, 'before', (file) => codeShape(call, file))
}

const invalidQuery = (message: string): object => ({ message, resource: 'Search', field: 'q', code: 'invalid' })

function codeShape({ world }: Call, { repository, path, content }: CodeFile): object {
  const encoded = path.split('/').map(encodeURIComponent).join('/')
  const [root, sha, head] = [
    ...[repositoryUrl(world, repository), blobSha(content), world.contentOf(repository).branches.head(defaultBranch)],
  ]
  return {
    ...{
      name: nameOf(path),
      path,
      sha,
      url: `${root}/contents/${encoded}?ref=${head}`,
      git_url: `${root}/git/blobs/${sha}`,
    },
    html_url: `${world.origin}/${repository.fullName}/blob/${head}/${encoded}`,
    repository: repositoryShape(world, repository),
  }
}
