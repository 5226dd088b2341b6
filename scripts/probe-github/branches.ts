import { isObject, textIn } from '../../src/runtime/json.ts'
import { ApiError, type GitHubApi } from './github-api.ts'

/** The branches of the probe. Their commits have no files in common with the repository. */
const prefix = 'hookserver-probe/'

/** A folder or a file of a commit. */
export interface TreeEntry {
  path: string
  /** 040000 for a folder, and 100644 for a file. */
  mode: '040000' | '100644'
  type: 'tree' | 'blob'
  /** The id of the content. */
  sha: string
}

/** The branches that the probe pushes to in one repository, through GitHub's API for Git data. */
export class Branches {
  readonly #api: GitHubApi
  readonly #path: string
  readonly #run: string
  readonly #created = new Set<string>()

  constructor(api: GitHubApi, repositoryPath: string, run: string) {
    this.#api = api
    this.#path = `${repositoryPath}/git`
    this.#run = run
  }

  /** @returns The id of the new content of a file. */
  createBlob(content: string): Promise<string> {
    return this.#create('blobs', { content, encoding: 'utf-8' })
  }

  /** @param base The tree to which the entries are added. Default: an empty tree. @returns The id of the new tree. */
  createTree(entries: readonly TreeEntry[], base?: string): Promise<string> {
    return this.#create('trees', { tree: entries, ...(base !== undefined && { base_tree: base }) })
  }

  /** @returns The id of the new commit. */
  createCommit(message: string, tree: string, parents: readonly string[]): Promise<string> {
    return this.#create('commits', { message, tree, parents })
  }

  /** Creates the branch of this run. */
  async createBranch(commit: string): Promise<void> {
    const name = `${prefix}${this.#run}`
    this.#created.add(name)
    await this.#api.request('POST', `${this.#path}/refs`, { body: { ref: `refs/heads/${name}`, sha: commit } })
  }

  /** Moves the branch of this run to a newer commit, which GitHub reports as a push. */
  async push(commit: string): Promise<void> {
    await this.#api.request('PATCH', `${this.#path}/refs/heads/${prefix}${this.#run}`, { body: { sha: commit } })
  }

  /** Deletes the branch of this run. @throws {Error} if GitHub still has it. */
  async removeCreated(): Promise<void> {
    for (const name of this.#created) {
      const path = `${this.#path}/refs/heads/${name}`
      const { status, ...answer } = await this.#api.send('DELETE', path)
      const isGone = status === 204 || status === 404 || status === 422 // 422: there is no such branch
      if (!isGone) throw new ApiError(`DELETE ${path}`, { status, ...answer })
      this.#created.delete(name)
    }
  }

  /** Deletes the branches of earlier runs too. @returns How many there were. */
  async removeLeftovers(): Promise<number> {
    // A token without access to the contents cannot have created a branch. An empty repository answers 409.
    const { data } = await this.#api.send('GET', `${this.#path}/matching-refs/heads/${prefix}`)
    const found = Array.isArray(data) ? data.flatMap((ref) => textIn(ref, 'ref') ?? []) : []
    for (const ref of found) this.#created.add(ref.replace(/^refs\/heads\//, ''))
    await this.removeCreated()
    return found.length
  }

  async #create(kind: string, body: object): Promise<string> {
    const { data } = await this.#api.request('POST', `${this.#path}/${kind}`, { body })
    const sha = isObject(data) ? textIn(data, 'sha') : undefined
    if (sha === undefined) throw new Error(`The answer to POST ${this.#path}/${kind} has no sha`)
    return sha
  }
}
