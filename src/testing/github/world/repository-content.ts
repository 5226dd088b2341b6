import { createHash } from 'node:crypto'
import type { App } from './app.ts'
import type { Account, Repository } from './repository.ts'

export interface Label {
  id: number
  name: string
  color: string
  description: string | null
}

/** A text that a user or a bot has written. */
interface Written {
  id: number
  user: Account
  /** The App, if the bot of an App has written the text. */
  app: App | undefined
  body: string | null
  /** In milliseconds since 1970. */
  createdAt: number
  updatedAt: number
}

/** An issue or, with `pull`, a pull request: both share one sequence of numbers. */
export interface Issue extends Written {
  repository: Repository
  number: number
  title: string
  state: 'open' | 'closed'
  stateReason: string | null
  closedAt: number | undefined
  labels: Label[]
  assignees: Account[]
  pull: Pull | undefined
}

/** The properties of a new issue. */
export type IssueFacts = Partial<Pick<Issue, 'title' | 'body' | 'user' | 'app' | 'pull'>>

export interface Pull {
  head: Branch
  base: Branch
  draft: boolean
}

export interface Branch {
  ref: string
  sha: string
}

export interface Comment extends Omit<Written, 'body'> {
  issue: Issue
  body: string
}

export interface CheckRun {
  id: number
  app: App
  name: string
  headSha: string
  status: string
  conclusion: string | null
  detailsUrl: string | null
  externalId: string | null
  startedAt: string
  completedAt: string | null
  output: { title: string | null; summary: string | null; text: string | null }
  annotations: Annotation[]
}

/** A note at some lines of a file, in the members of GitHub's API. */
export interface Annotation {
  path: string
  start_line: number
  end_line: number
  start_column: number | null
  end_column: number | null
  annotation_level: string
  title: string | null
  message: string
  raw_details: string | null
}

export interface Status {
  id: number
  repository: Repository
  sha: string
  user: Account
  createdAt: number
  state: string
  context: string
  description: string | null
  targetUrl: string | null
}

/** A reaction of a user or a bot. */
export interface ReactionEntry {
  id: number
  user: Account
  content: string
  createdAt: number
}

/** The role of a user in a repository. */
export type LocalRole = 'read' | 'triage' | 'write' | 'maintain' | 'admin'

/** The branch that exists in every repository. */
export const defaultBranch = 'main'

/** What users and bots have written in one repository. */
export class RepositoryContent {
  readonly issues = new Map<number, Issue>()
  readonly comments = new Map<number, Comment>()
  /** The ids of the review comments that deliveries contain. */
  readonly reviewComments = new Set<number>()
  /** By the path of their list, without that of the repository: `issues/7/reactions`. */
  readonly reactions = new Map<string, ReactionEntry[]>()
  readonly roles = new Map<Account, LocalRole>()
  /** By name in lower case: GitHub ignores the case of a label. */
  readonly labels = new Map<string, Label>()
  readonly checkRuns = new Map<number, CheckRun>()
  readonly statuses: Status[] = []
  readonly #branches = new Map<string, Map<string, Uint8Array>>()

  newNumber(): number {
    return Math.max(0, ...this.issues.keys()) + 1
  }

  /** A file of a branch. If the branch has no file of its own at the path: the file of the default branch. */
  file(path: string, branch: string = defaultBranch): Uint8Array | undefined {
    return this.#branches.get(branch)?.get(path) ?? this.#branches.get(defaultBranch)?.get(path)
  }

  /** The files that were written to a branch and differ from those of another branch. */
  changedFiles(branch: string, base: string): { path: string; content: Uint8Array; status: 'added' | 'modified' }[] {
    return [...(this.#branches.get(branch) ?? [])].flatMap(([path, content]) => {
      const before = this.file(path, base)
      if (before && blobSha(before) === blobSha(content)) return []
      return [{ path, content, status: before ? ('modified' as const) : ('added' as const) }]
    })
  }

  writeFile(path: string, content: Uint8Array, branch: string = defaultBranch): void {
    const files = this.#branches.get(branch) ?? new Map<string, Uint8Array>()
    this.#branches.set(branch, files.set(path, content))
  }
}

/** The id of a file's content, as Git computes it. */
export const blobSha = (content: Uint8Array): string =>
  createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')

/** Whether a text is a whole SHA of Git, and not an abbreviation. */
export const isSha = (text: string): boolean => /^[0-9a-f]{40}$/i.test(text)

/** A SHA for a commit. The same texts give the same SHA. */
export const commitSha = (...texts: readonly string[]): string =>
  createHash('sha1').update(texts.join('\0')).digest('hex')
