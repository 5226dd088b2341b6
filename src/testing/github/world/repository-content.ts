import type { App } from './app.ts'
import { Branches, type ChangedFile, type Commit } from './branches.ts'
import type { Place } from './place.ts'
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
  /** The last head before `head`, which the API shows during `headLag`, with the time of the push since 1970. */
  oldHead: { head: Branch; updatedAt: number; movedAt: number } | undefined
  base: Branch
  draft: boolean
  merge: Merge | undefined
  reviews: Review[]
  requestedReviewers: Account[]
}

/** How a pull request was merged. */
export interface Merge extends PullChanges {
  sha: string
  by: Account
  /** In milliseconds since 1970. */
  at: number
}

/** The changes of a pull request. */
export interface PullChanges {
  commits: readonly Commit[]
  files: readonly ChangedFile[]
}

export const reviewStates = ['APPROVED', 'CHANGES_REQUESTED', 'COMMENTED', 'DISMISSED'] as const

export interface Review {
  id: number
  user: Account
  body: string
  state: (typeof reviewStates)[number]
  submittedAt: number
  sha: string
}

export const newPull = (head: Branch, base: Branch, draft: boolean): Pull => ({
  ...{ head, oldHead: undefined, base, draft, merge: undefined, reviews: [], requestedReviewers: [] },
})

/** Gives a pull request a new head. */
export function moveHead(issue: Issue, pull: Pull, head: Branch, now: number): void {
  pull.oldHead = { head: pull.head, updatedAt: issue.updatedAt, movedAt: now }
  pull.head = head
  issue.updatedAt = now
}

export interface Branch {
  ref: string
  sha: string
  /** The repository of the head of a pull request, if it is a fork. `deleted`: the fork no longer exists. */
  fork?: Repository | 'deleted' | undefined
}

export interface Comment extends Omit<Written, 'body'> {
  issue: Issue
  body: string
}

/** A comment of a review. */
export interface ReviewComment extends Comment {
  /** The id of the review. `null`: the delivery that contained the comment named none. */
  review: number | null
  /** The id of the comment that this one answers. */
  inReplyTo: number | undefined
  /** The SHA of the commit that the author saw. */
  sha: string
  place: Place
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

export interface Release {
  id: number
  tag: string
  /** The branch or commit that a new tag gets. */
  target: string
  name: string | null
  body: string | null
  draft: boolean
  prerelease: boolean
  user: Account
  createdAt: number
  /** `undefined`: it is a draft. */
  publishedAt: number | undefined
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

/** What users and bots have written in one repository. */
export class RepositoryContent {
  readonly issues = new Map<number, Issue>()
  readonly comments = new Map<number, Comment>()
  readonly reviewComments = new Map<number, ReviewComment>()
  /** By the path of their list, without that of the repository: `issues/7/reactions`. */
  readonly reactions = new Map<string, ReactionEntry[]>()
  readonly roles = new Map<Account, LocalRole>()
  /** By name in lower case: GitHub ignores the case of a label. */
  readonly labels = new Map<string, Label>()
  readonly checkRuns = new Map<number, CheckRun>()
  readonly statuses: Status[] = []
  /** Oldest first. */
  readonly releases: Release[] = []
  readonly branches: Branches

  constructor(repository: Repository) {
    this.branches = new Branches(repository.fullName)
  }

  /** The changes of a pull request, which its merge does not alter. Those of a fork are not known. */
  changesOf({ head, base, merge }: Pull): PullChanges {
    if (merge) return merge
    if (head.fork) return { commits: [], files: [] }
    const [from, into] = [head.ref, base.ref]
    return { commits: this.branches.commitsAhead(from, into), files: this.branches.changedFiles(from, into) }
  }

  newNumber(): number {
    return Math.max(0, ...this.issues.keys()) + 1
  }
}
