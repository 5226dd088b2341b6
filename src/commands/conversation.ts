import type { AnyOctokit, Delivery, ReceivedDelivery } from '../delivery.ts'
import { textIn } from '../runtime/json.ts'
import { lateReportTimeout } from '../runtime/last-timeout.ts'
import { sleep, within } from '../runtime/timer.ts'
import { type Comment, replyMark } from './comment.ts'

/** A reaction, by its name in GitHub's API. */
export type Reaction = '+1' | '-1' | 'laugh' | 'confused' | 'heart' | 'hooray' | 'rocket' | 'eyes'

/** The most comments that GitHub returns in one answer. */
const pageSize = 100

/** Milliseconds until a reply is sent again if GitHub answers with an error of its own. */
const replyRetries = [1000, 3000]

/** How long a command waits for a reaction that only informs, in milliseconds. */
const reactionWait = 2000

/** The replies and reactions to one comment. */
export class Conversation {
  readonly #delivery: Delivery
  readonly #comment: Comment
  readonly #octokit: AnyOctokit
  /** `owner` and `repo`, as parameters of requests. */
  readonly repository: { owner: string; repo: string }

  constructor(delivery: Delivery, comment: Comment, octokit: AnyOctokit) {
    this.#delivery = delivery
    this.#comment = comment
    this.#octokit = octokit
    const [owner = '', repo = ''] = (delivery.repository ?? '').split('/')
    this.repository = { owner, repo }
  }

  /**
   * Comments on the issue or pull request, unless this delivery has done so with the same text: a later attempt does not
   * repeat the replies of an earlier one. Each reply begins with an HTML comment that identifies it.
   */
  async reply(text: string): Promise<void> {
    const { guid, handler } = this.#delivery
    const mark = `${replyMark}${await sha256(JSON.stringify([guid, handler, text]))} -->`
    // After a failure, GitHub may have created the comment. Each try looks for it first; Octokit would not.
    const comment = { body: `${mark}\n\n${text}`, request: { retries: 0 } }
    for (const delay of [...replyRetries, undefined]) {
      if (await this.#hasReply(mark)) return
      try {
        await this.#request('POST', `issues/${this.#comment.number}/comments`, comment)
        return
      } catch (error) {
        if (delay === undefined || !(Number((error as { status?: unknown }).status) >= 500)) throw error
        await sleep(delay, this.#delivery.signal, { keepAlive: true })
        if (this.#delivery.signal.aborted) throw error
      }
    }
  }

  /** Adds a reaction to the comment. GitHub ignores a reaction that the comment has already. */
  async react(content: Reaction): Promise<void> {
    await this.#request('POST', this.#comment.reactions, { content })
  }

  /**
   * Adds a reaction that only informs: a failure is logged, and has no further effect. A rate limit can delay the
   * reaction. It may then come after this call, so that the delay uses up little of the time of the attempt.
   */
  async tryReact(content: Reaction): Promise<void> {
    const reaction = this.react(content).catch((err: unknown) => this.#warn(err, content))
    await within(reactionWait, reaction)
  }

  /** Adds a reaction after the attempt has ended, and with it the requests of its Octokit. A failure is logged. */
  async reactAfterEnd(content: Reaction): Promise<void> {
    try {
      const octokit = await (this.#delivery as ReceivedDelivery).octokitUntil(AbortSignal.timeout(lateReportTimeout))
      await new Conversation(this.#delivery, this.#comment, octokit as AnyOctokit).react(content)
    } catch (err) {
      this.#warn(err, content)
    }
  }

  #warn(err: unknown, content: Reaction): void {
    this.#delivery.log.warn({ err }, `Cannot add the reaction ${content} to a comment`)
  }

  async #hasReply(mark: string): Promise<boolean> {
    const { number, writtenAt: since } = this.#comment
    for (let page = 1; ; page++) {
      const path = `issues/${number}/comments`
      const { data } = await this.#request('GET', path, { per_page: pageSize, page, ...(since && { since }) })
      const comments = Array.isArray(data) ? data : []
      if (comments.some((comment) => textIn(comment, 'body')?.startsWith(mark))) return true
      if (comments.length < pageSize) return false
    }
  }

  #request(method: 'GET' | 'POST', path: string, parameters: object): Promise<{ data: unknown }> {
    return this.#octokit.request(`${method} /repos/{owner}/{repo}/${path}`, { ...this.repository, ...parameters })
  }
}

async function sha256(text: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return new Uint8Array(hash).reduce((hex, byte) => hex + byte.toString(16).padStart(2, '0'), '')
}

/** A text as code in Markdown. Nothing in it is a mention, a link or HTML. */
export function inCode(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  const space = longest > 0 ? ' ' : ''
  return fence + space + text + space + fence
}
