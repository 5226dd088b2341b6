/** The requests for one check run. */

import { type Json, objectIn, textIn, wholeNumberIn } from '../runtime/json.ts'
import { lateReportTimeout } from '../runtime/last-timeout.ts'
import { KeyLocks } from '../runtime/mutex.ts'
import { optionOrFlag } from '../runtime/option-or-flag.ts'
import { startTimer } from '../runtime/timer.ts'
import { shortened } from '../runtime/untrusted-text.ts'
import type { CheckAnnotation, CheckConclusion, CheckOptions, CheckOutput } from './check-types.ts'
import type { BotContext, BotOctokit } from './context.ts'
import type { RepositoryTarget } from './targets.ts'

/** Marks the runs of hookserver, so that it changes no run that the App has created in another way. */
const externalId = 'hookserver'
/** https://docs.github.com/rest/checks/runs#update-a-check-run */
const maxAnnotations = 50
const maxTextLength = 65_535
/** GitHub allows 64 KB for a message and for details. A UTF-16 code unit takes up to 3 bytes. */
const noteLengths = { title: 255, message: 21_845, raw_details: 21_845 }

const titles: Record<CheckConclusion, string> = {
  success: 'Passed',
  failure: 'Failed',
  neutral: 'Neutral',
  cancelled: 'Cancelled',
  skipped: 'Skipped',
  timed_out: 'Timed out',
  action_required: 'Action required',
}

export interface CheckTarget extends Omit<CheckOptions, 'headSha'> {
  repository: RepositoryTarget
  headSha: string
  /** Only runs of this App count. `undefined` if the delivery does not name its App. */
  appId: string | undefined
}

/** Two deliveries at the same time must not create two runs: the second one finds the run of the first. */
const starts = new KeyLocks()

/** The requests for the run of a check. */
export class CheckRequests {
  readonly #octokit: BotOctokit
  readonly #target: CheckTarget
  #id: number

  /** @param id That of a run that is known already. Default: none, which is 0. */
  constructor(octokit: BotOctokit, target: CheckTarget, id = 0) {
    this.#octokit = octokit
    this.#target = target
    this.#id = id
  }

  get id(): number {
    return this.#id
  }

  /**
   * Finds the run that an earlier attempt has not completed, or creates one. A completed run cannot be reopened, and the
   * annotations of a run cannot be removed: in both cases GitHub shows a new run of the same name in its place.
   *
   * The request that creates a run does not end with the signal of the delivery: GitHub may still create the run, and it
   * would stay in progress.
   */
  start({ delivery: { signal }, octokitUntil }: BotContext): Promise<void> {
    const { appId, repository, headSha, name } = this.#target
    const key = JSON.stringify([appId, repository.owner, repository.repo, headSha, name])
    return starts.run(key, signal, () => this.#findOrCreate(() => octokitUntil(abortedAfter(signal))))
  }

  async #findOrCreate(creator: () => Promise<BotOctokit>): Promise<void> {
    const { name, headSha, detailsUrl } = this.#target
    const found = await this.findUnfinished()
    const state = { status: 'in_progress', ...(detailsUrl !== undefined && { details_url: detailsUrl }) }
    if (found !== undefined) return this.#patch(state)
    const run = { name, head_sha: headSha, external_id: externalId, started_at: new Date().toISOString(), ...state }
    try {
      const parameters = { ...run, request: { retries: 0 } }
      const data = await this.#request('POST /repos/{owner}/{repo}/check-runs', parameters, await creator())
      this.#id = wholeNumberIn(data, 'id') as number
    } catch (error) {
      // GitHub may have created the run although it answers with an error. A run that stays in progress blocks a merge.
      const mayExist = Number((error as { status?: unknown }).status) >= 500
      if (!mayExist || (await this.findUnfinished()) === undefined) throw error
    }
  }

  /** Looks for the unfinished run of an earlier attempt. @returns Its id. */
  async findUnfinished(): Promise<number | undefined> {
    const { name, headSha, appId } = this.#target
    const filter = { ref: headSha, check_name: name, filter: 'latest', ...(appId !== undefined && { app_id: appId }) }
    const data = await this.#request('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', filter)
    const found = (data.check_runs as Json[]).find((run) => {
      const isEmpty = wholeNumberIn(objectIn(run, 'output'), 'annotations_count') === 0
      return isEmpty && run.status !== 'completed' && textIn(run, 'external_id') === externalId
    })
    this.#id = wholeNumberIn(found, 'id') ?? 0
    return found && this.#id
  }

  /** Shows a text while the check is in progress. */
  async update(output: CheckOutput): Promise<void> {
    await this.#patch({ status: 'in_progress', output: outputOf(output, 'In progress') })
  }

  async complete(
    conclusion: CheckConclusion,
    given: CheckOutput,
    annotations: readonly CheckAnnotation[] = [],
  ): Promise<void> {
    const output = outputOf(given, titles[conclusion])
    const notes = annotations.map(acceptedAnnotation)
    let start = 0
    for (; notes.length - start > maxAnnotations; start += maxAnnotations) {
      await this.#patch({ output: { ...output, annotations: notes.slice(start, start + maxAnnotations) } })
    }
    const last = { ...output, annotations: notes.slice(start) }
    await this.#patch({ conclusion, completed_at: new Date().toISOString(), output: last })
  }

  async cancel(): Promise<void> {
    await this.complete('cancelled', { title: 'Cancelled: the pull request has a newer commit' })
  }

  async #patch(change: Json): Promise<void> {
    await this.#request('PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', { check_run_id: this.#id, ...change })
  }

  async #request(route: string, parameters: Json, octokit: BotOctokit = this.#octokit): Promise<Json> {
    try {
      const { data } = await octokit.request(route, { ...this.#target.repository, ...parameters })
      return data as Json
    } catch (error) {
      throw withCure(error)
    }
  }
}

/** A signal that aborts `lateReportTimeout` after another one. */
function abortedAfter(signal: AbortSignal): AbortSignal {
  const late = new AbortController()
  signal.addEventListener('abort', () => startTimer(() => late.abort(), lateReportTimeout), { once: true })
  return late.signal
}

/** GitHub requires both `title` and `summary` with every text. */
function outputOf({ title, summary, text }: CheckOutput, defaultTitle: string): Json {
  const shownTitle = title ?? defaultTitle
  return {
    title: shownTitle,
    summary: shortened(summary ?? shownTitle, maxTextLength),
    ...(text !== undefined && { text: shortened(text, maxTextLength) }),
  }
}

/**
 * The annotation as GitHub accepts it: with texts within its limits, and with columns only in one line. Linters report
 * columns in several lines, too, and GitHub would reject all annotations of the request.
 */
function acceptedAnnotation({ start_column, end_column, ...annotation }: CheckAnnotation): Json {
  const isOneLine = annotation.start_line === annotation.end_line
  const accepted: Json = { ...annotation, ...(isOneLine && { start_column, end_column }) }
  for (const [name, maxLength] of Object.entries(noteLengths)) {
    const text = textIn(accepted, name)
    if (text !== undefined) accepted[name] = shortened(text, maxLength)
  }
  return accepted
}

/** Adds the cure to an error that says that the caller may not write checks. */
function withCure(error: unknown): unknown {
  const { status, message } = error as { status?: unknown; message?: unknown }
  if (status !== 403 || !/GitHub App|not accessible/.test(String(message))) return error
  const app = optionOrFlag('the option "app" of new Hooks()', 'GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY')
  const cure = `set ${app}, and give the App the permission "Checks: write"`
  return Object.assign(new Error(`delivery.check() cannot write check runs: ${cure} (${message})`, { cause: error }), {
    status,
  })
}
