/** The changed files of a push and of a pull request. Loaded when a handler first asks for them. */
import { isObject, type Json, textIn } from '../runtime/json.ts'
import type { BotContext, BotOctokit } from './context.ts'
import type { ChangedFiles } from './members.ts'
import { askAgainIfStale } from './stale-answer.ts'
import { hasChangedFiles, nameOf, pullRequestTarget, type RepositoryTarget, repositoryTarget } from './targets.ts'

/** GitHub's limits: https://docs.github.com/webhooks/webhook-events-and-payloads#push */
const maxCommits = 2048
const maxFilesOfCommit = 3000
/** https://docs.github.com/rest/commits/commits#compare-two-commits */
const maxComparedFiles = 300
/** https://docs.github.com/rest/pulls/pulls#list-pull-requests-files */
const maxPullRequestFiles = 3000
const pageSize = 100

/** @throws {TypeError} if the event has no changed files. */
export function changedFiles(context: BotContext): Promise<ChangedFiles> {
  const { event } = context
  if (!hasChangedFiles(event)) {
    const cure = 'only push and the events of pull requests do'
    throw new TypeError(`delivery.changedFiles(): ${nameOf(context)} has no changed files; ${cure}`)
  }
  return event === 'push' ? filesOfPush(context) : filesOfPullRequest(context)
}

/**
 * The files that the payload lists. If the payload leaves out some of them, those of a comparison too. A comparison
 * misses the files of commits that a forced push has removed, and there is nothing to compare a new branch with.
 */
async function filesOfPush(context: BotContext): Promise<ChangedFiles> {
  const { members } = context
  const { commits, created, deleted, forced } = members
  if (deleted === true) return { files: [], complete: true }
  if (textIn(members, 'ref')?.startsWith('refs/tags/')) return { files: [], complete: false }
  const listed = filesOfCommits(Array.isArray(commits) ? commits : undefined)
  if (forced === true) return { ...listed, complete: false }
  if (listed.complete || created === true) return listed
  const compared = await comparedFiles(context)
  return { files: [...new Set([...listed.files, ...compared.files])], complete: compared.complete }
}

function filesOfCommits(commits: readonly unknown[] | undefined): ChangedFiles {
  const files = new Set<string>()
  let complete = commits !== undefined && commits.length < maxCommits
  for (const commit of commits ?? []) {
    const lists = ['added', 'removed', 'modified'].map((name) => (isObject(commit) ? commit[name] : undefined))
    const paths = lists.flatMap((list) => (Array.isArray(list) ? (list as unknown[]) : []))
    if (paths.length >= maxFilesOfCommit || !lists.every(Array.isArray)) complete = false
    for (const path of paths) if (typeof path === 'string') files.add(path)
  }
  return { files: [...files], complete }
}

/** Without credentials for the API, the list of a push stays incomplete. */
async function comparedFiles(context: BotContext): Promise<ChangedFiles> {
  const octokit = await context.octokit().catch(() => undefined)
  if (!octokit) return { files: [], complete: false }
  const { members } = context
  const basehead = `${textIn(members, 'before')}...${textIn(members, 'after')}`
  const route = 'GET /repos/{owner}/{repo}/compare/{basehead}'
  const target = repositoryTarget(context, 'changedFiles')
  const { data } = await octokit.request(route, { ...target, basehead, per_page: 1 })
  const files = (data as { files?: unknown }).files
  const list = Array.isArray(files) ? (files as Json[]) : []
  return { files: list.flatMap(pathsOf), complete: Array.isArray(files) && list.length < maxComparedFiles }
}

async function filesOfPullRequest(context: BotContext): Promise<ChangedFiles> {
  const target = pullRequestTarget(context, 'changedFiles')
  const octokit = await context.octokit()
  const { answer, stale } = await askAgainIfStale(
    context,
    () => listFiles(octokit, target),
    ([file]) => isBeforePush(context, file),
  )
  return { files: [...new Set(answer.flatMap(pathsOf))], complete: !stale && answer.length < maxPullRequestFiles }
}

/** Whether a listed file is that of the head before the delivered push. The URL of its contents names the commit. */
function isBeforePush({ members }: BotContext, file: Json | undefined): boolean {
  const url = textIn(file, 'contents_url') ?? ''
  return URL.canParse(url) && new URL(url).searchParams.get('ref') === (textIn(members, 'before') ?? '')
}

async function listFiles(octokit: BotOctokit, target: RepositoryTarget): Promise<Json[]> {
  const all: Json[] = []
  for (let page = 1; all.length < maxPullRequestFiles; page++) {
    const route = 'GET /repos/{owner}/{repo}/pulls/{pull_number}/files'
    const { data } = await octokit.request(route, { ...target, per_page: pageSize, page })
    const files = data as Json[]
    all.push(...files)
    if (files.length < pageSize) break
  }
  return all
}

const pathsOf = (file: Json): string[] =>
  [textIn(file, 'filename'), textIn(file, 'previous_filename')].filter((path) => path !== undefined)
