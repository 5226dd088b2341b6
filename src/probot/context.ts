import { posix } from 'node:path'
import type { AnyPayload, EventOf, PayloadOf } from '../events.ts'
import type { Config } from './config.ts'
import { type CallableLogger, callableLog, type Logger } from './log.ts'
import type { MergeOptions } from './merge.ts'
import type { ProbotOctokit } from './octokit.ts'
import { warnOnce } from './old-calls.ts'

/** A delivery as `receive()` takes it. */
export interface WebhookEvent<Name extends string = string> {
  /** `X-GitHub-Delivery`. */
  id: string
  /** The event without its action: `issues`. */
  name: EventOf<Name>
  payload: PayloadOf<Name>
}

/** The attempt that handles a delivery of an inbox. */
export interface AttemptScope {
  log: Logger
  /** Ends the requests of the attempt. */
  signal: AbortSignal
  /** The id of the installation with all its digits: the number in the payload may be rounded. */
  installationId: string | undefined
}

/** The numbered member of a payload: an issue, a pull request, or the payload itself. */
interface Numbered {
  number?: number
}

/** The delivery that sends the requests of an Octokit. Usually each delivery has an Octokit of its own. */
const deliveryIds = new WeakMap<object, string>()

/** The argument of an app's handlers: a delivery, an Octokit for it, and helpers for requests. */
export class Context<Name extends string = string> {
  /** The event without its action. */
  readonly name: EventOf<Name>
  /** `X-GitHub-Delivery`. The same in each attempt, and in redeliveries: use it as the idempotency key. */
  readonly id: string
  readonly payload: PayloadOf<Name>
  /** Authenticates as the installation in the payload. */
  readonly octokit: ProbotOctokit
  readonly log: CallableLogger

  constructor(event: WebhookEvent<Name>, octokit: ProbotOctokit, log: Logger) {
    this.name = event.name
    this.id = event.id
    this.payload = event.payload
    this.octokit = octokit
    this.log = callableLog(log, 'context')
    nameDelivery(octokit, event.id)
  }

  /**
   * `{ owner, repo }` of the payload's repository, with the members of `more`.
   * @throws {Error} if the payload has no repository.
   */
  repo<More extends object = object>(more?: More): { owner: string; repo: string } & More {
    const { repository } = this.payload as AnyPayload
    // Probot's own text, because apps and their tests compare it.
    if (!repository) throw new Error('context.repo() is not supported for this webhook event.')
    const { login } = repository.owner as { login: string }
    return { owner: login, repo: repository.name, ...(more as More) }
  }

  /** As `repo()`, with the `issue_number` of the issue or pull request. */
  issue<More extends object = object>(more?: More): { owner: string; repo: string; issue_number: number } & More {
    return { issue_number: this.#number(), ...this.repo(more) }
  }

  /** As `repo()`, with the `pull_number` of the pull request. */
  pullRequest<More extends object = object>(more?: More): { owner: string; repo: string; pull_number: number } & More {
    return { pull_number: this.#number(), ...this.repo(more) }
  }

  /** Whether a bot caused the event. */
  get isBot(): boolean {
    return (this.payload as AnyPayload).sender?.type === 'Bot'
  }

  /**
   * Reads `.github/<fileName>` of the repository's default branch, else of the owner's repository `.github`. The file
   * may extend others with `_extends`.
   * @param defaults The values of members that no file has.
   * @param options How to merge nested members: https://github.com/TehShrike/deepmerge
   * @returns `null` if there is neither a file nor `defaults`.
   * @throws {Error} (rejects) if a file is not valid, or if GitHub rejects a request.
   */
  async config<Value extends object = Config>(
    fileName: string,
    defaults?: Partial<Value>,
    options?: MergeOptions,
  ): Promise<Value | null> {
    const { mergeAll } = await import('./merge.ts')
    const merge = (configs: Config[]) => mergeAll([defaults ?? {}, ...configs], options)
    const path = posix.join('.github', fileName) // `../file.yml` is a file outside of `.github`
    const { config, files } = await this.octokit.config.get<Config>({ ...this.repo(), path, defaults: merge })
    if (!defaults && files.every((file) => file.config === null)) return null
    return config as Value
  }

  /** @deprecated Write `context.octokit`. */
  get github(): ProbotOctokit {
    warnOnce(this.log, 'context.github', 'context.octokit')
    return this.octokit
  }

  /** @deprecated Write `context.name`. */
  get event(): EventOf<Name> {
    warnOnce(this.log, 'context.event', 'context.name')
    return this.name
  }

  #number(): number {
    const payload = this.payload as Numbered & { issue?: Numbered; pull_request?: Numbered }
    return (payload.issue ?? payload.pull_request ?? payload).number as number
  }
}

/** Adds the GUID to each request of the Octokit, so that GitHub's support can find the requests of a delivery. */
function nameDelivery(octokit: ProbotOctokit, id: string): void {
  const isHooked = deliveryIds.has(octokit)
  deliveryIds.set(octokit, id)
  if (isHooked) return
  const { hook } = octokit as Partial<Pick<ProbotOctokit, 'hook'>> // a double of an Octokit may have no hooks
  hook?.before?.('request', ({ headers }: { headers: Record<string, unknown> }) => {
    headers['x-github-delivery'] = deliveryIds.get(octokit)
  })
}
