import { type DeliveryFacts, type OctokitSource, ReceivedDelivery } from '../delivery.ts'
import type { Registry } from '../dispatch/registry.ts'
import { runHandlers } from '../dispatch/run.ts'
import { HookError } from '../errors.ts'
import type { Registration } from '../handler.ts'
import type { HashName, HookReply, HookRequest, Receiver, ReceiverStatus } from '../http.ts'
import type { BackgroundWrites } from '../inbox/background-writes.ts'
import type { Inbox } from '../inbox/inbox.ts'
import { toNewDelivery } from '../inbox/new-delivery.ts'
import { StoreHealth, storeDelivery } from '../inbox/store-delivery.ts'
import type { Settings } from '../options.ts'
import { Deadline } from '../runtime/deadline.ts'
import type { Drain } from '../runtime/drain.ts'
import { diagnostics } from '../telemetry/diagnostics.ts'
import type { Span } from '../telemetry/span.ts'
import { traceHandlers, traceReceive, traceReply, traceStore } from '../telemetry/tracing.ts'
import { consumedBody, type ReceivedBody, readBody } from './body.ts'
import { explainWrongSignature } from './explain.ts'
import type { Ranges } from './github-ranges.ts'
import type { Pass, Turnstile } from './memory-limit.ts'
import { Origin } from './origin.ts'
import { contentLength, type PayloadForm, parsePayload, payloadForm, readHeaders } from './payload.ts'
import { type Explain, RefusalLog } from './rejection-log.ts'
import { noContent, replyOf, textReply } from './reply.ts'
import { findSigner, Secrets, signWith } from './secrets.ts'
import { type Claim, equalDigests, readClaim } from './signature.ts'

/** What the mounts of one `Hooks` share. */
export interface Shared {
  registry: Registry
  ranges: Ranges
  turnstile: Turnstile
  drain: Drain
  octokits: OctokitSource
  /** Told when there is something new in the inbox. */
  stored(): void
  /** Where it is written down what comes; without an inbox nowhere. */
  books: BackgroundWrites | undefined
}

/** A delivery that has been verified, and not been read yet. */
interface Arrival {
  facts: DeliveryFacts
  body: ReceivedBody
  form: PayloadForm
  algorithm: HashName | undefined
}

/** A request on its way down the line. */
interface Passage {
  request: HookRequest
  receivedAt: Date
  /** The same moment, by a clock that measures. */
  beganAt: number
  deadline: Deadline
  /** Where somebody traces. */
  span: Span | undefined
  /** The room that the body takes. */
  pass?: Pass
  /** Set where a refusal has more to say to the operator than to the sender. */
  explain?: Explain
}

/** The life of a delivery, from the request to the reply, as `docs/lifecycle.md` draws it. */
export class DeliveryReceiver implements Receiver {
  readonly url: string | false
  readonly #settings: Settings
  readonly #shared: Shared
  readonly #refusals: RefusalLog
  readonly #origin: Origin
  readonly #secrets: Secrets | undefined
  readonly #storeHealth = new StoreHealth()

  /** @throws {TypeError} for an option that only its use could check. */
  constructor(settings: Settings, shared: Shared) {
    this.url = settings.url
    this.#settings = settings
    this.#shared = shared
    this.#refusals = new RefusalLog(settings.logger)
    this.#origin = new Origin(settings, shared.ranges, (error, request) => this.#refusals.tolerated(error, request))
    this.#secrets =
      settings.validateSignature && settings.secret !== undefined ? new Secrets(settings.secret) : undefined
  }

  matches(path: string): boolean {
    return this.url === false || path === this.url
  }

  async ready(): Promise<void> {
    this.#storeHealth.check()
    await this.#origin.ready()
  }

  async sign(headers: HookRequest['headers'], body: Uint8Array): Promise<string | undefined> {
    if (!this.#secrets) return undefined
    const deadline = new Deadline(this.#settings.timeout)
    try {
      return await signWith(await this.#secrets.lookUp(headers, deadline), body)
    } finally {
      deadline.clear()
    }
  }

  status(): ReceiverStatus {
    const { held, limit } = this.#shared.turnstile
    const { validateIp: origin, validateSignature: signature } = this.#settings
    return { ranges: this.#origin.ranges, heldBytes: held, heldLimit: limit, origin, signature }
  }

  receive(request: HookRequest): Promise<HookReply> {
    const span = traceReceive(request)
    return span ? traceReply(span, () => this.#receive(request, span)) : this.#receive(request, span)
  }

  async #receive(request: HookRequest, span: Span | undefined): Promise<HookReply> {
    this.#route(request)
    if (!this.#shared.drain.enter()) throw new HookError('shutting_down')
    const began = { receivedAt: new Date(), beganAt: performance.now() }
    const passage: Passage = { request, ...began, deadline: new Deadline(this.#settings.timeout), span }
    try {
      const waiting = this.#origin.check(request)
      if (waiting) await passage.deadline.race(waiting, () => new HookError('ranges_unavailable'))
      return await this.#answer(await this.#admit(passage), passage)
    } catch (error) {
      throw this.#refused(error, passage)
    } finally {
      passage.pass?.leave()
      passage.deadline.clear()
      this.#shared.drain.leave()
    }
  }

  #route({ method, path }: HookRequest): void {
    if (path !== undefined && !this.matches(path)) throw new HookError('not_found')
    if (method !== 'POST') throw new HookError('method_not_allowed')
  }

  /** Signature, body, headers. */
  async #admit(passage: Passage): Promise<Arrival> {
    const { request, receivedAt } = passage
    const { headers, createHmac } = request
    const claim = this.#secrets && readClaim(headers, this.#settings.signatureAlgorithms)
    const early = claim ? undefined : readHeaders(headers)

    const firstKey = claim && this.#secrets?.fixed?.keys[0]
    const hmac = firstKey && createHmac?.(claim.algorithm, firstKey.bytes)
    const body = await this.#readBody(passage, hmac && ((chunk) => void hmac.update(chunk)))
    const quick = hmac && equalDigests(hmac.digest(), (claim as Claim).digest) ? firstSigner : undefined
    const signer = quick ?? (claim && (await this.#verify(passage, claim, body.bytes, hmac ? 1 : 0)))

    const { event, guid, form } = early ?? readHeaders(headers)
    const { source } = this.#settings
    const secretIndex = signer?.index
    const facts = { event, guid, headers, receivedAt, source, secretId: signer?.id, secretIndex }
    if (diagnostics.received?.hasSubscribers) diagnostics.received.publish({ guid, event, source, secretIndex })
    return { facts, body, form, algorithm: claim?.algorithm }
  }

  /** Not async, so that nothing holds the bytes while handlers run. */
  #answer(arrival: Arrival, passage: Passage): Promise<HookReply> {
    const { inbox } = this.#settings
    if (inbox) return this.#store(inbox, arrival, passage)
    const delivery = this.#parse(arrival)
    arrival.body.free()
    passage.pass?.leave()
    return this.#handle(delivery, passage.deadline, passage.span)
  }

  #parse({ facts, body, form }: Arrival): ReceivedDelivery {
    const { bodyLimit, logger } = this.#settings
    return new ReceivedDelivery(facts, parsePayload(body.bytes, form, bodyLimit), logger, this.#shared.octokits)
  }

  /** Safe on disk, then answered. Bytes that are signed are stored as they came; others have to be a payload first. */
  async #store(inbox: Inbox, arrival: Arrival, { request, deadline, span, beganAt }: Passage): Promise<HookReply> {
    if (!this.#secrets) this.#parse(arrival)
    const { facts, body, form, algorithm } = arrival
    const { editedFrom } = request
    const [address, trace] = [this.#addressOf(request), span?.traceparent]
    const delivery = toNewDelivery({ facts, body: body.bytes, form, algorithm, address, trace, editedFrom })
    const storing = () => storeDelivery(inbox, delivery, deadline, this.#storeHealth)
    const { outcome } = await (span ? traceStore(span, facts, storing) : storing())
    body.free()
    this.#shared.books?.counters.received(facts, outcome, performance.now() - beganAt)
    if (outcome === 'duplicate') return textReply('Duplicate')
    this.#shared.stored()
    return textReply('Accepted', 202)
  }

  #addressOf(request: HookRequest): string | undefined {
    try {
      return this.#origin.addressOf(request)
    } catch {
      return undefined // the user's own function; where it decides, it has been asked before
    }
  }

  #readBody(
    passage: Passage,
    onChunk: ((chunk: Uint8Array) => void) | undefined,
  ): Promise<ReceivedBody> | ReceivedBody {
    const { request, deadline } = passage
    const { bodyLimit } = this.#settings
    const limit = payloadForm(request.headers) === 'form' ? 2 * bodyLimit : bodyLimit
    const expected = contentLength(request.headers)
    if (expected !== undefined && expected > limit) throw new HookError('payload_too_large')
    const body = request.body()
    if ('consumed' in body) throw consumedBody(body.consumed) // at once, and not after a wait at the turnstile
    const read = (pass: Pass) => {
      passage.pass = pass
      return readBody(body, { limit, expected, deadline, pass }, onChunk)
    }
    const entry = this.#shared.turnstile.enter(expected, deadline)
    return entry instanceof Promise ? entry.then(read) : read(entry)
  }

  /** @param tried How many of the keys are known to be wrong. */
  async #verify(passage: Passage, claim: Claim, body: Uint8Array, tried: number): Promise<Signer> {
    const { headers, createHmac } = passage.request
    const { keys, id } = await (this.#secrets as Secrets).lookUp(headers, passage.deadline)
    const index = await findSigner(keys, claim, body, createHmac, tried)
    if (index < 0) {
      passage.explain = () => explainWrongSignature({ claim, body, headers, keys, createHmac })
      throw new HookError('wrong_signature')
    }
    return { id, index }
  }

  async #handle(delivery: ReceivedDelivery, deadline: Deadline, span: Span | undefined): Promise<HookReply> {
    const matches = this.#shared.registry.match(delivery.event, delivery.action)
    if (matches.length === 0) return textReply('Hook not used')
    const { running } = this.#shared.drain
    const traced = span && traceHandlers(span, matches)
    const handlers = traced?.matches ?? matches
    const failed = (error: unknown, registration: Registration) => {
      traced?.failed(error, registration)
      this.#handlerFailed(error, registration, delivery)
    }
    running.add(delivery)
    try {
      return (await runHandlers(handlers, { delivery, deadline, toReply: replyOf, failed })) ?? noContent()
    } finally {
      running.delete(delivery)
    }
  }

  /** What the sender is told of an error. The failures of handlers are in the log already. */
  #refused(error: unknown, { request, explain, span }: Passage): HookError {
    if (!(error instanceof HookError)) {
      span?.recordException(error)
      this.#settings.logger.error({ err: error }, 'A delivery failed for a reason that nobody foresaw')
      return new HookError('handler_failed', { cause: error })
    }
    if (error.code !== 'handler_failed' && error.code !== 'handler_timeout') {
      this.#keepRefusal(error, request, this.#refusals.refused(error, request, explain))
    }
    if (diagnostics.refused?.hasSubscribers) {
      const { 'x-github-delivery': guid, 'x-github-event': event } = request.headers
      diagnostics.refused.publish({ code: error.code, status: error.status, guid, event })
    }
    return error
  }

  #keepRefusal({ code, status, cause }: HookError, request: HookRequest, why: Promise<string | undefined>): void {
    const { books } = this.#shared
    if (!books) return
    books.counters.count('refused', code)
    const { headers } = request
    const { 'x-github-event': event, 'x-github-delivery': guid } = headers
    const reason = cause instanceof Error ? cause.message : (cause as string | undefined)
    const [at, address, { source }] = [Date.now(), this.#addressOf(request), this.#settings]
    const refusal = { at, code, status, reason, source, address, event, guid, headers }
    books.rejections.add(refusal)
    // It is written a moment later, and the reason is worked out by then.
    void why.then((explained) => (refusal.reason = explained ?? reason))
  }

  #handlerFailed(error: unknown, { name }: Registration, delivery: ReceivedDelivery): void {
    const { logger, onError } = this.#settings
    const { guid, event, action } = delivery
    logger.error({ err: error, handler: name, guid, event, action }, `Handler ${name} failed`)
    const told = new Promise((resolve) => resolve(onError?.(error, delivery)))
    told.catch((err: unknown) => logger.error({ err, guid, event }, 'onError failed'))
  }
}

/** Which secret signed a delivery. */
interface Signer {
  id: string | undefined
  index: number
}

const firstSigner: Signer = { id: undefined, index: 0 }
