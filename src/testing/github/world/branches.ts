import { createHash } from 'node:crypto'
import { getOrCreate } from '../../../runtime/get-or-create.ts'
import type { Account } from './repository.ts'

/** The branch that exists in every repository. */
export const defaultBranch = 'main'

/** A file of a commit or of a comparison. */
export interface ChangedFile {
  path: string
  /** `undefined`: the file did not exist. */
  before: Uint8Array | undefined
  /** `undefined`: the file was deleted. */
  after: Uint8Array | undefined
}

export const statusOf = ({ before, after }: ChangedFile): 'added' | 'modified' | 'removed' =>
  before ? (after ? 'modified' : 'removed') : 'added'

/** Whether the content before and after differs. */
export const isChange = ({ before, after }: ChangedFile): boolean =>
  (before && blobSha(before)) !== (after && blobSha(after))

export interface Commit {
  sha: string
  message: string
  author: Account
  /** In milliseconds since 1970. */
  committedAt: number
  parents: readonly string[]
  files: readonly ChangedFile[]
}

/** The author, the message and the time of a new commit. */
export type CommitFacts = Pick<Commit, 'message' | 'author' | 'committedAt'>

/** The state of one branch. */
interface Line {
  /** The head before the first commit. */
  start: string
  /** The files that were written to the branch, or deleted. Its other files are those of the default branch. */
  files: Map<string, Uint8Array | undefined>
  /** Oldest first. */
  commits: Commit[]
}

/** An annotated tag: an object of Git with a SHA of its own, to which a tag can point. */
export interface TagObject {
  sha: string
  tag: string
  message: string
  tagger: { name: string; email: string; date: string }
  /** The SHA of the commit. */
  object: string
}

/**
 * The branches and tags of a repository. A branch need not exist: it then has the files of the default branch, and a SHA that
 * follows from its name. The first commit creates it from the default branch.
 */
export class Branches {
  readonly #repository: string
  readonly #lines = new Map<string, Line>()
  /** The SHA of a commit or of an annotated tag, by the name of the tag. */
  readonly tags = new Map<string, string>()
  /** By SHA. */
  readonly tagObjects = new Map<string, TagObject>()

  /** @param repository The full name, which distinguishes the commits of repositories. */
  constructor(repository: string) {
    this.#repository = repository
    this.#line(defaultBranch)
  }

  /** The default branch first, and then the others by age. */
  get names(): readonly string[] {
    return [...this.#lines.keys()]
  }

  has(name: string): boolean {
    return this.#lines.has(name)
  }

  /** The SHA of the last commit. */
  head(name: string): string {
    const line = this.#lines.get(name)
    return line?.commits.at(-1)?.sha ?? line?.start ?? this.#startOf(name)
  }

  /** The commits of a branch, oldest first. */
  commits(name: string): readonly Commit[] {
    return this.#lines.get(name)?.commits ?? []
  }

  /** The commits of a branch that another branch lacks, oldest first. */
  commitsAhead(name: string, base: string): Commit[] {
    const known = new Set(this.commits(base).map(({ sha }) => sha))
    return this.commits(name).filter(({ sha }) => !known.has(sha))
  }

  find(sha: string): Commit | undefined {
    for (const { commits } of this.#lines.values()) {
      const found = commits.find((commit) => commit.sha === sha)
      if (found) return found
    }
    return undefined
  }

  /** The commits up to a branch, a tag or a commit, oldest first. `undefined` if there is none of these. */
  history(ref: string): readonly Commit[] | undefined {
    const [name, sha] = [this.named(ref), this.shaNamed(ref)]
    if (!this.has(name)) return undefined
    const commits = this.commits(name)
    return sha === undefined ? commits : commits.slice(0, commits.findIndex((commit) => commit.sha === sha) + 1)
  }

  /**
   * The branch that a ref names (`next`, `refs/heads/next`), or that has the commit of a tag or a SHA. If there is none:
   * the ref itself.
   */
  named(ref: string): string {
    const [name, sha] = [branchNameIn(ref), this.shaNamed(ref)]
    if (sha === undefined) return name
    return this.names.find((one) => this.head(one) === sha) ?? this.names.find((one) => this.#contains(one, sha)) ?? ref
  }

  /** The SHA of the commit that a ref names, if the ref is a tag or a SHA, and not a branch. */
  shaNamed(ref: string): string | undefined {
    if (this.has(branchNameIn(ref))) return undefined
    const tag = this.tags.get(ref.replace(/^(?:refs\/)?tags\//, ''))
    return tag === undefined ? (isSha(ref) ? ref : undefined) : this.commitOf(tag)
  }

  /** The SHA of the commit at which a tag points. @param sha That of the commit or of an annotated tag. */
  commitOf(sha: string): string {
    return this.tagObjects.get(sha)?.object ?? sha
  }

  /** Creates or moves a branch, so that it ends at a commit of an existing one. */
  place(name: string, sha: string): void {
    const from = this.#lines.get(this.named(sha))
    const commits = from?.commits.slice(0, from.commits.findIndex((commit) => commit.sha === sha) + 1) ?? []
    // The files of the default branch are not copied: a later change there must not look like a change of this branch.
    const shared = name === defaultBranch ? [] : this.commits(defaultBranch)
    const own = commits.filter((commit) => !shared.includes(commit)).flatMap((commit) => commit.files)
    const files = new Map(own.map(({ path, after }) => [path, after]))
    this.#lines.set(name, { start: sha, files, commits })
  }

  delete(name: string): void {
    this.#lines.delete(name)
  }

  file(path: string, branch: string): Uint8Array | undefined {
    const own = this.#lines.get(branch)?.files
    return own?.has(path) ? own.get(path) : this.#lines.get(defaultBranch)?.files.get(path)
  }

  /** A file of a branch, or of the commit that a tag or a SHA names. */
  fileAt(path: string, ref: string): Uint8Array | undefined {
    const [name, sha, history] = [this.named(ref), this.shaNamed(ref), this.history(ref)]
    if (!history || sha === undefined || sha === this.head(name)) return this.file(path, name)
    return history.flatMap(({ files }) => files).findLast((file) => file.path === path)?.after
  }

  /** Adds an annotated tag, to which no tag points yet. */
  annotate(tag: Omit<TagObject, 'sha'>): TagObject {
    const { name, email, date } = tag.tagger
    const sha = shaOf(this.#repository, tag.tag, tag.message, tag.object, name, email, date)
    this.tagObjects.set(sha, { sha, ...tag })
    return { sha, ...tag }
  }

  /** The files of a branch, by path. */
  files(branch: string): Map<string, Uint8Array> {
    const all = new Map([...(this.#lines.get(defaultBranch)?.files ?? []), ...(this.#lines.get(branch)?.files ?? [])])
    const existing = [...all].flatMap(([path, content]): [string, Uint8Array][] => (content ? [[path, content]] : []))
    return new Map(existing.toSorted(([one], [other]) => (one < other ? -1 : 1)))
  }

  /** The files that were written to a branch, or deleted, and differ from those of another branch. */
  changedFiles(branch: string, base: string): ChangedFile[] {
    const files = [...(this.#lines.get(branch)?.files ?? [])]
    return files.map(([path, after]) => ({ path, before: this.file(path, base), after })).filter(isChange)
  }

  /**
   * Adds a commit that writes one file. A branch that does not exist begins at the head of the default branch.
   * @param after The new content. `undefined` deletes the file.
   */
  write(branch: string, path: string, after: Uint8Array | undefined, facts: CommitFacts): Commit {
    if (!this.has(branch)) this.place(branch, this.head(defaultBranch))
    return this.#commit(branch, facts, [this.head(branch)], [{ path, before: this.file(path, branch), after }])
  }

  /**
   * Merges changes into a branch.
   * @param changes Those of a pull request, and the SHA of its head.
   * @param keepsCommits Whether the commits of the branch become commits of the other one, as they do with the method
   *   `merge`. Otherwise, the new commit replaces them.
   */
  merge(
    { sha, commits, files }: { sha: string; commits: readonly Commit[]; files: readonly ChangedFile[] },
    base: string,
    facts: CommitFacts,
    keepsCommits: boolean,
  ): Commit {
    const parents = [this.head(base), ...(keepsCommits ? [sha] : [])]
    if (keepsCommits) this.#line(base).commits.push(...commits)
    return this.#commit(base, facts, parents, files)
  }

  #commit(branch: string, facts: CommitFacts, parents: readonly string[], files: readonly ChangedFile[]): Commit {
    const content = files.flatMap(({ path, after }) => [path, after ? blobSha(after) : ''])
    const about = [facts.message, facts.author.login, String(facts.committedAt)]
    const commit = { ...facts, sha: shaOf(this.#repository, ...parents, ...about, ...content), parents, files }
    const line = this.#line(branch)
    for (const { path, after } of files) line.files.set(path, after)
    line.commits.push(commit)
    return commit
  }

  #line(name: string): Line {
    return getOrCreate(this.#lines, name, () => ({ start: this.#startOf(name), files: new Map(), commits: [] }))
  }

  #startOf(name: string): string {
    return shaOf(this.#repository, name)
  }

  /** Whether a branch has a commit, or began at its SHA. */
  #contains(name: string, sha: string): boolean {
    return this.#lines.get(name)?.start === sha || this.commits(name).some((commit) => commit.sha === sha)
  }
}

const branchNameIn = (ref: string): string => ref.replace(/^(?:refs\/)?heads\//, '')

/** The id of a file's content, as Git computes it. */
export const blobSha = (content: Uint8Array): string =>
  createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')

/** Whether a text is a whole SHA of Git, and not an abbreviation. */
export const isSha = (text: string): boolean => /^[0-9a-f]{40}$/i.test(text)

/** A SHA that follows from texts. */
const shaOf = (...texts: readonly string[]): string => createHash('sha1').update(texts.join('\0')).digest('hex')
