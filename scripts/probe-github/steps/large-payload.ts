/** How large can a payload become, and how does the log show it? */
import { isObject, objectIn } from '../../../src/runtime/json.ts'
import { type Attempt, NotListed, waitForAttempts, waitForLog } from '../attempts.ts'
import type { TreeEntry } from '../branches.ts'
import { ApiError, statusText } from '../github-api.ts'
import { type Probe, quickUrl } from '../probe.ts'
import { type Answer, type Facts, NotAsked, type Step } from '../step.ts'
import type { Webhook } from '../webhooks.ts'
import { kindOf } from './payloads.ts'

/** Files that each commit adds: a push lists at most 3000 files of a commit. */
const filesInCommit = 3000
/** The folders around the files of a commit. Git and most file systems limit a name to 255 bytes. */
const folders = 4
const folderLength = 255

/**
 * The number of commits in each push. A push lists the files of each commit, and those of the last commit again in
 * `head_commit`. A list has 2.95 MiB, so the payloads have 6, 12, 18 and 24 MiB. GitHub's limit is 25 MB.
 */
const usualPushes = [1, 3, 5, 7]

/** The largest answer that is read. JSON in a text is longer than the payload, because it has escapes. */
const maxAnswerBytes = 100 * 1024 * 1024
/** Milliseconds to read such an answer. */
const readTimeout = 120_000

const noGitData = 'GitHub has no API for Git data (404), or the token may not write the contents of the repository'

interface Tip {
  commit: string
  tree: string
}

/**
 * Pushes commits that add many files with long paths. All commits add the same folder of files below a new path, so the
 * requests are small.
 */
export async function askLarge(probe: Probe, commitsInPush: readonly number[] = usualPushes): Promise<Answer> {
  if (!probe.large) throw new NotAsked('pass --large')
  const { branches } = probe
  const { folder, tip: first } = await firstCommit(probe)
  await branches.createBranch(first.commit)
  const webhook = await probe.webhooks.create({ url: quickUrl(probe), event: 'push' })
  const { attempts } = await waitForAttempts(probe, webhook) // the ping
  const known = new Set(attempts.map(({ id }) => id))
  const pushes: Facts[] = []
  const payloadBytes: (number | null)[] = []
  let tip = first
  for (const commits of commitsInPush) {
    probe.progress(`pushing ${commits} commits with ${filesInCommit} files each`)
    for (let count = 0; count < commits; count++) tip = await addCommit(probe, folder, tip)
    await branches.push(tip.commit)
    const attempt = await nextAttempt(probe, webhook, known)
    if (!attempt) {
      pushes.push({ commits, listed: false })
      break // a larger payload would not arrive either
    }
    const { facts, bytes } = await readPayload(probe, webhook, attempt)
    pushes.push({ commits, listed: true, ...facts })
    payloadBytes.push(bytes)
  }
  return { facts: { pushes }, measured: { payloadBytes } }
}

/** Creates the folder of files that the commits add, and a commit without it. */
async function firstCommit({ branches }: Probe): Promise<{ folder: string; tip: Tip }> {
  const sha = await branches.createBlob('A file of npm run probe:github.\n').catch((error: Error) => {
    if (error instanceof ApiError && error.answer.status === 404) throw new NotAsked(noGitData)
    throw error
  })
  const file = { mode: '100644', type: 'blob', sha } as const
  const names = Array.from({ length: filesInCommit }, (_, index) => `f${String(index).padStart(4, '0')}`)
  const folder = await branches.createTree(names.map((path) => ({ path, ...file })))
  const tree = await branches.createTree([{ path: 'README', ...file }])
  return { folder, tip: { tree, commit: await branches.createCommit('Begin', tree, []) } }
}

/** Adds the folder below a path that no other commit has. */
async function addCommit({ branches }: Probe, folder: string, { commit, tree }: Tip): Promise<Tip> {
  const names = [commit.slice(0, 12), ...Array.from({ length: folders - 1 }, () => '')]
  const path = names.map((name) => name.padEnd(folderLength, 'x')).join('/')
  const entry: TreeEntry = { path, mode: '040000', type: 'tree', sha: folder }
  const next = await branches.createTree([entry], tree)
  return { tree: next, commit: await branches.createCommit('Add files', next, [commit]) }
}

/** `undefined` if the log does not list a new attempt in time, which is an answer too. */
async function nextAttempt(probe: Probe, webhook: Webhook, known: Set<string>): Promise<Attempt | undefined> {
  const isNew = ({ id }: Attempt) => !known.has(id)
  try {
    const { attempts } = await waitForLog(probe, webhook, (log) => log.attempts.some(isNew))
    const attempt = attempts.find(isNew)
    for (const { id } of attempts) known.add(id)
    return attempt
  } catch (error) {
    if (error instanceof NotListed) return undefined
    throw error
  }
}

/** @returns `bytes`: the size of the payload, as the log shows it. */
async function readPayload(
  { api }: Probe,
  { path }: Webhook,
  { id }: Attempt,
): Promise<{ facts: Facts; bytes: number | null }> {
  const options = { maxBytes: maxAnswerBytes, timeout: readTimeout }
  const answer = await api.send('GET', `${path}/deliveries/${id}`, options)
  const payload = isObject(answer.data) ? objectIn(answer.data, 'request')?.payload : undefined
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  return {
    facts: { read: statusText(answer), payload: kindOf(payload) },
    bytes: text === undefined ? null : Buffer.byteLength(text),
  }
}

export const largePayloadStep: Step = {
  name: 'large-payload',
  question: 'How large can a payload become, and how does the log show it?',
  ask: (probe) => askLarge(probe),
}
