/**
 * A check run, from its start to its conclusion. Loaded when a handler first runs a check.
 *
 * - It starts in progress. If the attempt fails and is retried, it stays in progress, and the retry goes on with it.
 * - If the work returns, it has the conclusion of the result. If the last attempt fails, it is a `failure`. If the last
 *   attempt exceeds its timeout, it is `timed_out`.
 * - If the pull request has a newer head, it is `cancelled`, and the task ends `discarded`.
 */
import { pushedCommit } from '../events.ts'
import { isString } from '../runtime/check-options.ts'
import { getOrCreate } from '../runtime/get-or-create.ts'
import { type Json, objectIn, textIn } from '../runtime/json.ts'
import { lateReportTimeout, reportLastTimeout } from '../runtime/last-timeout.ts'
import { Discard, isDiscard, isRetry, isUnrecoverable } from '../thrown.ts'
import { CheckRequests, type CheckTarget } from './check-requests.ts'
import type { CheckAnnotation, CheckConclusion, CheckOptions, CheckResult, CheckWork } from './check-types.ts'
import type { BotContext, BotOctokit } from './context.ts'
import { askAgainIfStale } from './stale-answer.ts'
import { nameOf, type PullRequestTarget, pullRequestTarget, repositoryTarget } from './targets.ts'

/** A check of a pull request that this process runs. */
interface RunningCheck {
  headSha: string
  superseded: AbortController
}

/** The running checks of this process, by App, pull request and name. */
const running = new Map<string, Set<RunningCheck>>()

/** See `BotMembers.check`. */
export async function runCheck(
  context: BotContext,
  given: string | CheckOptions,
  work: CheckWork,
): Promise<CheckConclusion> {
  const options: CheckOptions = isString(given) ? { name: given } : given
  if (!isString(options?.name) || options.name === '') {
    throw new TypeError("delivery.check() needs the name of the check: check('lint', …)")
  }
  if (typeof work !== 'function') throw new TypeError(`delivery.check('${options.name}', …) needs a function`)
  const target = targetOf(context, options)
  const check = new Check(context, target, await context.octokit())
  return reportLastTimeout(
    context.delivery,
    () => check.reportTimeout(),
    () => check.run(work),
  )
}

interface Target extends CheckTarget {
  /** The pull request whose head is checked, if any. */
  pull: PullRequestTarget | undefined
}

/** @throws {TypeError} if there is no repository or no commit. */
function targetOf(context: BotContext, options: CheckOptions): Target {
  const { targetType, targetId } = context.delivery
  const headSha = options.headSha ?? headOf(context)
  const isHead = headSha === headShaOf(objectIn(context.members, 'pull_request'))
  return {
    ...{ ...options, headSha, repository: repositoryTarget(context, 'check') },
    appId: targetType === 'integration' ? targetId : undefined,
    pull: isHead ? pullRequestTarget(context, 'check') : undefined,
  }
}

class Check implements RunningCheck {
  readonly headSha: string
  readonly superseded: AbortController = new AbortController()
  readonly #context: BotContext
  readonly #target: Target
  readonly #octokit: BotOctokit
  readonly #requests: CheckRequests
  readonly #annotations: CheckAnnotation[] = []
  /** Settles when the run has been found or created, or when this has failed. */
  #started: Promise<void> | undefined

  constructor(context: BotContext, target: Target, octokit: BotOctokit) {
    this.headSha = target.headSha
    this.#context = context
    this.#target = target
    this.#octokit = octokit
    this.#requests = new CheckRequests(octokit, target)
  }

  async run(work: CheckWork): Promise<CheckConclusion> {
    const { pull, appId, name } = this.#target
    if (!pull) return this.#run(work)
    const key = `${appId} ${pull.owner}/${pull.repo}#${pull.pull_number} ${name}`
    const all = getOrCreate(running, key, () => new Set<RunningCheck>())
    all.add(this)
    try {
      await this.#replace([...all].filter(({ headSha }) => headSha !== this.headSha))
      return await this.#run(work)
    } finally {
      all.delete(this)
      if (all.size === 0) running.delete(key)
    }
  }

  /** Ends the checks of older heads. A delivery that is late, or that is retried, may itself be about an older head. */
  async #replace(others: readonly RunningCheck[]): Promise<void> {
    if (others.length === 0 && this.#context.delivery.attempt === 1) return
    const shown = await this.#shownHead()
    if (shown === 'newer') {
      if ((await this.#requests.findUnfinished()) !== undefined) await this.#requests.cancel()
      throw this.#obsolete
    }
    // If GitHub does not show this head yet, one of the others may be newer. Each of them asks GitHub itself at its end.
    if (shown === 'stale') return
    for (const { superseded } of others) superseded.abort(new Discard(`${shortSha(this.headSha)} is the new head`))
  }

  async #run(work: CheckWork): Promise<CheckConclusion> {
    const { signal } = this.#context.delivery
    this.#started = this.#requests.start(this.#context)
    await this.#started
    signal.throwIfAborted()
    try {
      const result = await this.#work(work)
      if ((await this.#shownHead()) !== 'newer') return await this.#conclude(result)
    } catch (error) {
      if (signal.aborted) throw error // with it, the requests of this Octokit have ended
      if ((await this.#shownHead().catch(() => 'stale')) !== 'newer') {
        await this.#reportFailure(error)
        throw error
      }
    }
    await this.#requests.cancel()
    throw this.#obsolete
  }

  async #work(work: CheckWork): Promise<CheckConclusion | CheckResult> {
    const signal = AbortSignal.any([this.#context.delivery.signal, this.superseded.signal])
    const result = await work({
      ...{ id: this.#requests.id, headSha: this.headSha, signal },
      update: (output) => this.#requests.update(output),
      annotate: (...annotations) => void this.#annotations.push(...annotations),
    })
    return result || {}
  }

  async #conclude(result: CheckConclusion | CheckResult): Promise<CheckConclusion> {
    const { conclusion = this.#defaultConclusion, ...output } = isString(result) ? { conclusion: result } : result
    // Removes the annotations: if GitHub rejects one of them, the report of the failure must not contain it.
    await this.#requests.complete(conclusion, output, this.#annotations.splice(0))
    return conclusion
  }

  get #defaultConclusion(): CheckConclusion {
    return this.#annotations.some((one) => one.annotation_level === 'failure') ? 'failure' : 'success'
  }

  /** If GitHub does not take the report, the error of the work still decides the outcome of the attempt. */
  async #reportFailure(error: unknown): Promise<void> {
    const { guid, isLastAttempt } = this.#context.delivery
    const summary = isDecision(error)
      ? error.message
      : `The check ended with an error. The log of the application has it, for the delivery ${guid}.`
    try {
      if (isDiscard(error)) await this.#requests.complete('skipped', { summary })
      else if (isLastAttempt || isUnrecoverable(error)) await this.#fail(this.#requests, 'failure', summary)
      else await this.#requests.update({ title: 'Failed, and will be retried', summary })
    } catch (err) {
      this.#warn(err)
    }
  }

  /** Completes the run after the last attempt has exceeded its timeout. An earlier attempt may have created it. */
  async reportTimeout(): Promise<void> {
    try {
      await this.#started?.catch(() => undefined) // GitHub may be creating the run
      const octokit = await this.#context.octokitUntil(AbortSignal.timeout(lateReportTimeout))
      const requests = new CheckRequests(octokit, this.#target, this.#requests.id)
      if (requests.id === 0 && (await requests.findUnfinished()) === undefined) return
      if (this.superseded.signal.aborted) return await requests.cancel()
      const { guid } = this.#context.delivery
      await this.#fail(
        requests,
        'timed_out',
        `The check did not end in time, in the last attempt of the delivery ${guid}.`,
      )
    } catch (err) {
      this.#warn(err)
    }
  }

  #warn(err: unknown): void {
    const message = `Cannot report the failure of the check "${this.#target.name}" to GitHub`
    this.#context.delivery.log.warn({ err }, message)
  }

  /** Without the annotations if GitHub rejects them: a required check that stays in progress blocks the pull request. */
  async #fail(requests: CheckRequests, conclusion: CheckConclusion, summary: string): Promise<void> {
    const annotations = this.#annotations.splice(0)
    try {
      await requests.complete(conclusion, { summary }, annotations)
    } catch (error) {
      if (annotations.length === 0) throw error
      await requests.complete(conclusion, { summary })
    }
  }

  /** The head of the pull request by now. `stale`: GitHub still shows the pull request as it was before the delivery. */
  async #shownHead(): Promise<'own' | 'newer' | 'stale'> {
    const { pull } = this.#target
    if (!pull) return 'own'
    const { signal } = this.superseded
    if (signal.aborted) return 'newer'
    const { answer, stale } = await askAgainIfStale(
      this.#context,
      async () =>
        (await this.#octokit.request('GET /repos/{owner}/{repo}/pulls/{pull_number}', { ...pull })).data as Json,
      (shown) => this.#isStale(shown),
    )
    if (signal.aborted) return 'newer'
    if (stale) return 'stale'
    return headShaOf(answer) === this.headSha ? 'own' : 'newer'
  }

  /** Whether a pull request in an answer of GitHub is older than that in the payload. Its times have whole seconds. */
  #isStale(shown: Json): boolean {
    const { members } = this.#context
    const head = headShaOf(shown)
    if (head === this.headSha) return false
    const [shownAt, sentAt] = [shown, objectIn(members, 'pull_request')].map((pull) =>
      Date.parse(textIn(pull, 'updated_at') ?? ''),
    ) as [number, number]
    return head === textIn(members, 'before') ? !(shownAt > sentAt) : shownAt < sentAt
  }

  get #obsolete(): Discard {
    const { name } = this.#target
    return new Discard(
      `The check "${name}" of ${shortSha(this.headSha)} is obsolete: the pull request has a newer head`,
    )
  }
}

/** Whether a handler throws such an error on purpose. The message of any other error may contain a secret. */
const isDecision = (error: unknown): error is Error => isDiscard(error) || isRetry(error) || isUnrecoverable(error)

const headShaOf = (pull: Json | undefined): string | undefined => textIn(objectIn(pull, 'head'), 'sha')

const shortSha = (sha: string): string => sha.slice(0, 7)

/** The commit that a delivery is about. @throws {TypeError} if its payload names none. */
function headOf(context: BotContext): string {
  const { event, members } = context
  const subjects = ['check_run', 'check_suite', 'workflow_run', 'workflow_job', 'merge_group']
  const sha =
    headShaOf(objectIn(members, 'pull_request')) ??
    subjects.map((name) => textIn(objectIn(members, name), 'head_sha')).find(Boolean) ??
    (event === 'push' && members.deleted !== true ? pushedCommit(members) : undefined)
  if (sha !== undefined) return sha
  const cure = 'name the commit: check({ name, headSha }, …)'
  throw new TypeError(`delivery.check(): the payload of ${nameOf(context)} has no head commit; ${cure}`)
}
