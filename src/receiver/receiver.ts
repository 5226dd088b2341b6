import { type OctokitSource, ReceivedDelivery } from '../delivery.ts'
import type { Registry } from '../dispatch/registry.ts'
import { runHandlers } from '../dispatch/run.ts'
import { HookError } from '../errors.ts'
import type { Registration } from '../handler.ts'
import {
  type HookReply,
  type HookRequest,
  headerOf,
  noContent,
  type Receiver,
  type ReceiverStatus,
  replyOf,
  textReply,
} from '../http.ts'
import type { BackgroundWrites } from '../inbox/background-writes.ts'
import type { DeliveryStore } from '../inbox/inbox.ts'
import { StoreHealth, storeDelivery, toNewDelivery } from '../inbox/store-delivery.ts'
import { causeText } from '../runtime/cause-text.ts'
import { Deadline, SharedTimer } from '../runtime/deadline.ts'
import type { Drain } from '../runtime/drain.ts'
import type { Json } from '../runtime/json.ts'
import { runsOnWorkers } from '../runtime/platform.ts'
import type { Settings } from '../settings.ts'
import { diagnostics } from '../telemetry/diagnostics.ts'
import { isTraced, type TracingMessages, traceReceive, traceStore, tracing } from '../telemetry/tracing.ts'
import { readBody } from './body.ts'
import type { ReceivedBody } from './body-buffer.ts'
import type { GithubRanges } from './github-ranges.ts'
import type { MemoryLimit, Reservation } from './memory-limit.ts'
import { Origin } from './origin.ts'
import {
  contentLength,
  decodePayload,
  type PayloadForm,
  parseBody,
  payloadForm,
  readHeaders,
  toPayload,
} from './payload.ts'
import { RejectionLog } from './rejection-log.ts'
import { VerifiedDelivery } from './verified-delivery.ts'
import { type Signer, type Verification, Verifier } from './verifier.ts'

/** The parts of a `Hooks` that its mounts share. */
interface SharedParts {
  registry: Registry
  ranges: GithubRanges
  memoryLimit: MemoryLimit
  drain: Drain
  octokits: OctokitSource
  /** Called after a delivery has been stored or rearmed, but not after a duplicate. */
  onStored(): void
  /** Writes counts and rejected requests to the inbox, if there is one. */
  writes: BackgroundWrites | undefined
}

/** One request on its way to the reply. */
interface RequestContext {
  readonly request: HookRequest
  /** Read once, because reading a header may take time. `undefined` if the body has another type or a content coding. */
  readonly form: PayloadForm | undefined
  readonly receivedAt: Date
  /** The time of `receivedAt` on the clock of `performance.now()`. */
  readonly startedAt: number
  readonly deadline: Deadline
  /** The message of the tracing channel, if it has a subscriber. */
  readonly operation: TracingMessages['receive'] | undefined
  /** The memory of the body, once reading has begun. */
  reservation: Reservation | undefined
  /** The body, once it has arrived. Without an inbox, it is removed when its handlers have ended. */
  body: ReceivedBody | undefined
  /** With `validateIp: 'warn'`: the error to log if the request is accepted. */
  originWarning: Promise<HookError | undefined> | undefined
  /** The verification of the signature, once its header has been read. `undefined` if signatures are not checked. */
  verification: Verification | undefined
}

/** A segment `.` or `..` of a path, in the spellings that the URL Standard allows. */
const dotSegment = /\/(\.|%2e){1,2}(\/|$)/i

/** The path with its dot segments resolved, as `Request` resolves them on the platforms that have no other path. */
const withoutDots = (path: string): string | undefined => URL.parse(`http://host${path}`)?.pathname

/** The life of a delivery, from the request to the reply, as `docs/lifecycle.md` draws it. */
export class DeliveryReceiver implements Receiver {
  readonly path: string | false
  readonly #settings: Settings
  readonly #shared: SharedParts
  readonly #rejectionLog: RejectionLog
  readonly #origin: Origin
  /** Missing if signatures are not checked. */
  readonly #verifier: Verifier | undefined
  readonly #timer: SharedTimer | undefined
  readonly #storeHealth = new StoreHealth()

  constructor(settings: Settings, shared: SharedParts) {
    const { path, logger, replyTimeout, validateSignature, secret } = settings
    this.path = path
    this.#settings = settings
    this.#shared = shared
    this.#rejectionLog = new RejectionLog(logger)
    this.#origin = new Origin(settings, shared.ranges)
    this.#verifier = validateSignature && secret !== undefined ? new Verifier(settings, secret) : undefined
    this.#timer = runsOnWorkers ? undefined : new SharedTimer(replyTimeout)
  }

  matches(path: string): boolean {
    return this.path === false || path === this.path || (dotSegment.test(path) && withoutDots(path) === this.path)
  }

  async ready(): Promise<void> {
    this.#storeHealth.check()
    await this.#origin.ready()
  }

  async sign(headers: HookRequest['headers'], body: Uint8Array): Promise<string | undefined> {
    return this.#verifier?.sign(headers, body)
  }

  status(): ReceiverStatus {
    const { held, limit } = this.#shared.memoryLimit
    const { validateIp: origin, validateSignature: signature } = this.#settings
    return { ranges: this.#origin.ranges, heldBytes: held, heldLimit: limit, origin, signature }
  }

  receive(request: HookRequest): Promise<HookReply> {
    if (!isTraced(tracing.receive)) return this.#receive(request, undefined)
    return traceReceive(tracing.receive, request, this.path, (operation) => this.#receive(request, operation))
  }

  /** All steps of a delivery, in their order. */
  async #receive(request: HookRequest, operation: TracingMessages['receive'] | undefined): Promise<HookReply> {
    this.#checkRoute(request)
    if (!this.#shared.drain.enter()) throw new HookError('shutting_down')
    const context = this.#createContext(request, operation)
    try {
      const fetching = this.#origin.check(request)
      if (fetching) await context.deadline.race(fetching, () => new HookError('ranges_unavailable'))
      context.originWarning = this.#origin.warning(request)

      context.verification = this.#verifier?.begin(request)
      if (!context.verification) readHeaders(request, context.form) // rejects bad headers before the body is read

      context.body = await this.#readBody(context)

      const verifying = this.#verify(context, context.body)
      const signer = verifying instanceof Promise ? await verifying : verifying

      const delivery = this.#accept(context, signer)
      const { inbox } = this.#settings
      const replying = inbox ? this.#store(inbox, delivery, context) : this.#run(delivery, context)
      const reply = replying instanceof Promise ? await replying : replying
      this.#logOriginWarning(context)
      return reply
    } catch (error) {
      throw this.#reject(error, context)
    } finally {
      context.reservation?.release()
      context.deadline.clear()
      this.#shared.drain.leave()
    }
  }

  #checkRoute(request: HookRequest): void {
    const { method, path } = request
    if (path !== undefined && !this.matches(path)) {
      const error = new HookError('not_found')
      // Only GitHub and programs for tests send this header: the URL of a webhook may be wrong.
      if (headerOf(request, 'x-github-event') !== undefined) {
        void this.#rejectionLog.rejected(error, request, async () => `deliveries must arrive at ${this.path}`)
      }
      throw error
    }
    if (method !== 'POST') throw new HookError('method_not_allowed')
  }

  #createContext(request: HookRequest, operation: RequestContext['operation']): RequestContext {
    const startedAt = performance.now()
    return {
      request,
      form: payloadForm(request),
      operation,
      startedAt,
      receivedAt: new Date(),
      deadline: this.#timer?.start(startedAt) ?? new Deadline(this.#settings.replyTimeout),
      reservation: undefined,
      body: undefined,
      originWarning: undefined,
      verification: undefined,
    }
  }

  #readBody(context: RequestContext): Promise<ReceivedBody> | ReceivedBody {
    const { request, form, deadline, verification } = context
    const { bodyLimit } = this.#settings
    const limit = form === 'form' ? 2 * bodyLimit : bodyLimit
    const expected = contentLength(request)
    if (expected !== undefined && expected > limit) throw new HookError('payload_too_large')
    const { memoryLimit } = this.#shared
    const reservation = memoryLimit.reserve(expected)
    context.reservation = reservation
    const hmac = verification?.hmac
    const onChunk = hmac && ((chunk: Uint8Array) => void hmac.update(chunk))
    const body = request.body()
    // A body without a `form` may have a content coding, which the platform may decode to more bytes than announced.
    const permit = form && 'readAtOnce' in body ? memoryLimit.permitReadAtOnce(expected) : undefined
    return readBody(body, { limit, expected, deadline, reservation, permit }, onChunk)
  }

  #verify({ verification, deadline }: RequestContext, { bytes }: ReceivedBody): Promise<Signer> | Signer | undefined {
    return verification && this.#verifier?.finish(verification, bytes, deadline)
  }

  /** Creates the delivery from the headers. Its signature is valid, or is not checked. */
  #accept({ request, form, receivedAt, verification }: RequestContext, signer: Signer | undefined): VerifiedDelivery {
    const { source } = this.#settings
    const algorithm = verification?.signature.algorithm
    const delivery = new VerifiedDelivery(request, { form, receivedAt, source, signer, algorithm })
    const { guid, event, secretIndex } = delivery
    if (diagnostics.received?.hasSubscribers) diagnostics.received.publish({ guid, event, source, secretIndex })
    return delivery
  }

  /** Stores a delivery and replies after the commit. Without a signature check, the body must contain a JSON object. */
  async #store(inbox: DeliveryStore, delivery: VerifiedDelivery, context: RequestContext): Promise<HookReply> {
    if (!this.#verifier) parseBody((context.body as ReceivedBody).bytes, delivery.form, this.#settings.bodyLimit)
    const { outcome } = await this.#commit(inbox, delivery, context)
    context.body?.free()
    this.#shared.writes?.counters?.received(delivery, outcome, performance.now() - context.startedAt)
    if (outcome === 'duplicate') return textReply('Duplicate')
    this.#shared.onStored()
    return textReply('Accepted', 202)
  }

  #commit(inbox: DeliveryStore, delivery: VerifiedDelivery, context: RequestContext): ReturnType<typeof storeDelivery> {
    const { request, deadline, operation } = context
    const { guid, event, source, form, algorithm } = delivery
    const { bytes: body } = context.body as ReceivedBody
    const [address, trace, editedFrom] = [this.#origin.addressOf(request), operation?.traceparent, request.editedFrom]
    const newDelivery = toNewDelivery({ delivery, body, form, algorithm, address, trace, editedFrom })
    const store = () => {
      const memory = context.reservation
      context.reservation = undefined // the store may need the bytes for longer than the request waits for it
      return storeDelivery(inbox, newDelivery, { deadline, health: this.#storeHealth, memory })
    }
    if (!isTraced(tracing.store)) return store()
    return traceStore(tracing.store, { guid, event, source, parent: operation }, store)
  }

  /** Runs the handlers, then frees the body. */
  #run(verified: VerifiedDelivery, context: RequestContext): HookReply | Promise<HookReply> {
    let reply: HookReply | Promise<HookReply> | undefined
    try {
      reply = this.#runHandlers(verified, context)
      return reply
    } finally {
      if (!(reply instanceof Promise)) freeBody(context)
    }
  }

  #runHandlers(verified: VerifiedDelivery, context: RequestContext): HookReply | Promise<HookReply> {
    const { delivery, plain } = this.#parse(verified, context)
    const matches = this.#shared.registry.match(delivery.event, delivery.action, delivery.source, plain)
    if (matches.length === 0) return textReply('Hook not used')
    const { deadline, operation } = context
    const failed = (error: unknown, registration: Registration) => this.#handlerFailed(error, registration, delivery)
    const reply = runHandlers(matches, { delivery, deadline, operation, toReply: replyOf, failed })
    return reply instanceof Promise ? this.#awaitReply(reply, delivery, context) : (reply ?? noContent())
  }

  async #awaitReply(
    reply: Promise<HookReply | undefined>,
    delivery: ReceivedDelivery,
    context: RequestContext,
  ): Promise<HookReply> {
    const { running } = this.#shared.drain
    const entry = { delivery, previous: undefined, next: undefined }
    running.add(entry)
    try {
      return (await reply) ?? noContent()
    } finally {
      running.remove(entry)
      freeBody(context)
    }
  }

  /**
   * Parses the payload. The bytes are kept until the reply, for `delivery.body()`. They no longer count, so that slow
   * handlers do not make further bodies wait.
   * @returns The delivery, and its payload as `JSON.parse` returns it.
   */
  #parse(verified: VerifiedDelivery, context: RequestContext): { delivery: ReceivedDelivery; plain: Json } {
    const { bodyLimit, logger, parsePayload } = this.#settings
    const body = context.body as ReceivedBody
    const json = decodePayload(body.bytes, verified.form, bodyLimit)
    context.reservation?.release()
    const { plain, forHandlers } = toPayload(json, parsePayload)
    const readBody = async () => bodyForHandler(context)
    const sources = { logger, octokits: this.#shared.octokits, readBody }
    return { delivery: new ReceivedDelivery(verified, forHandlers(), sources), plain }
  }

  /** Logs and publishes a rejection, publishes the failure of a handler, or logs an internal error. */
  #reject(error: unknown, context: RequestContext): HookError {
    const { request, verification, operation } = context
    if (!(error instanceof HookError)) {
      if (operation) operation.internalError = error
      this.#settings.logger.error({ err: error }, 'Internal error: a delivery failed. Please report it')
      return new HookError('handler_failed', { cause: error })
    }
    if (error.code.startsWith('handler_')) this.#logOriginWarning(context)
    else this.#record(error, request, this.#rejectionLog.rejected(error, request, verification?.explain))
    if (diagnostics.rejected?.hasSubscribers) {
      const guid = headerOf(request, 'x-github-delivery')
      const event = headerOf(request, 'x-github-event')
      diagnostics.rejected.publish({ code: error.code, status: error.status, guid, event })
    }
    return error
  }

  /** Call this only for an accepted request: a rejected request has its own line in the log. */
  #logOriginWarning({ request, originWarning }: RequestContext): void {
    const logged = originWarning?.then((error) => error && this.#rejectionLog.tolerated(error, request))
    if (logged) request.waitUntil?.(logged)
  }

  /** Counts and records a rejection, if there is an inbox. `writes` writes the count and the record a moment later. */
  #record(error: HookError, request: HookRequest, explanation: Promise<string | undefined>): void {
    const { writes } = this.#shared
    if (!writes) return
    const { code, status } = error
    const { headers } = request
    const rejection = {
      at: Date.now(),
      code,
      status,
      reason: causeText(error),
      source: this.#settings.source,
      address: this.#origin.addressOf(request),
      event: headers['x-github-event'],
      guid: headers['x-github-delivery'],
      headers,
    }
    writes.counters?.count('rejected', code)
    writes.rejections?.add(rejection)
    // Usually, the explanation arrives before `writes` writes the record. A later explanation is not written.
    void explanation.then((reason) => (rejection.reason = reason ?? rejection.reason))
  }

  #handlerFailed(error: unknown, { name }: Registration, delivery: ReceivedDelivery): void {
    const { logger, onError } = this.#settings
    const { guid, event, action, attempt } = delivery
    const failure = { error, delivery, handler: name, attempt, nextAttemptAt: undefined }
    logger.error({ err: error, handler: name, guid, event, action }, `Handler ${name} failed`)
    const called = new Promise((resolve) => resolve(onError?.(failure)))
    called.catch((err: unknown) => logger.error({ err, guid, event }, 'onError failed'))
  }
}

/** Frees the memory of a body at once: the garbage collector would free it later. */
function freeBody(context: RequestContext): void {
  context.body?.free()
  context.body = undefined
}

/** A copy of the body, because `freeBody` takes the memory of the original away. */
function bodyForHandler({ body }: RequestContext): Uint8Array {
  if (!body) {
    throw new Error('The body is no longer in memory: without an inbox, call delivery.body() before the reply')
  }
  return body.bytes.slice()
}
