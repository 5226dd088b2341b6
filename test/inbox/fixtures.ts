/** Deliveries as a worker gets them, and the host of a worker. */
import { randomUUID } from 'node:crypto'
import {
  type DeliveryHeaders,
  type DeliverySources,
  type OctokitSource,
  type ParsedPayload,
  ReceivedDelivery,
} from '../../src/delivery.ts'
import { Registry } from '../../src/dispatch/registry.ts'
import type { Handler, Registration, ResolvedHandlerOptions } from '../../src/handler.ts'
import type { EndedAttempt } from '../../src/inbox/counters.ts'
import type { StoredDelivery } from '../../src/inbox/inbox.ts'
import type { WorkerHost } from '../../src/inbox/worker/worker-host.ts'
import type { HandlerFailure, PayloadParser } from '../../src/options.ts'
import { decodePayload, toPayload } from '../../src/receiver/payload.ts'
import type { Json } from '../../src/runtime/json.ts'
import { childLogger, type FullLogger } from '../../src/telemetry/logger.ts'
import { Recorder } from '../recorder.ts'

export const bytesOf = (payload: unknown): Uint8Array =>
  new TextEncoder().encode(typeof payload === 'string' ? payload : JSON.stringify(payload))

/**
 * A payload that the worker expects to take this many bytes of memory once it is parsed. It is small, because the
 * estimate takes each brace for an object.
 */
export const demandingPayload = (bytes: number) => ({ text: '{'.repeat(bytes / 68) })

/** Deliveries of these tests cannot call GitHub. */
export const noOctokits: OctokitSource = () => Promise.reject(new Error('There is no GitHub in this test'))

/** The sources of a delivery in a test that reads no body. */
export function sourcesOf(logger: Recorder): DeliverySources {
  const readBody = () => Promise.reject(new Error('There is no body in this test'))
  return { logger, octokits: noOctokits, readBody }
}

export function factsOf(parts: Partial<DeliveryHeaders> = {}): DeliveryHeaders {
  const unsigned = { secretId: undefined, secretIndex: undefined }
  return { guid: 'g', event: 'push', headers: {}, receivedAt: new Date(0), source: '/hooks', ...unsigned, ...parts }
}

export function deliveryOf(data: Json = {}, log: Recorder = new Recorder()): ReceivedDelivery {
  return new ReceivedDelivery(factsOf(), { data, members: data }, sourcesOf(log))
}

export function registrationOf(handler: Handler, options: ResolvedHandlerOptions = {}): Registration {
  return { name: 'a handler', events: ['push'], replies: true, handler, options }
}

/** A delivery as a store loads it. */
export function storedOf(payload: unknown, parts: Partial<StoredDelivery> = {}): StoredDelivery {
  return {
    ...{ id: 1, source: '/hooks', hookId: '1', guid: randomUUID(), event: 'push', headers: {}, form: 'json' },
    ...{ receivedAt: 0, secretId: undefined, secretIndex: undefined },
    ...{ pulled: false, redelivered: false, conflict: false, replayed: false },
    body: bytesOf(payload),
    ...parts,
  }
}

/** The host of a worker; records the calls of the worker. */
export class Host implements WorkerHost {
  readonly recorder: Recorder = new Recorder()
  readonly logger: FullLogger = childLogger(this.recorder)
  readonly octokits: OctokitSource = noOctokits
  readonly errors: [error: unknown, guid: string][] = []
  readonly dead: [error: unknown, guid: string][] = []
  readonly attempts: [handler: string, outcome: string][] = []
  withoutHandlers: 'wait' | 'ignore' = 'wait'
  sources: readonly string[] | undefined
  payloadMemory = 256 * 1024 * 1024
  replays: 'run' | 'discard' = 'run'
  parsePayload: PayloadParser | undefined
  /** The result of `whenIdle`: resolves when no request is being answered. */
  idle: Promise<void> = Promise.resolve()
  readonly #registry = new Registry()

  /** Adds handlers for a name. */
  on(name: string, ...given: [Handler] | [ResolvedHandlerOptions, Handler]): this {
    const handler = given.at(-1) as Handler
    const options = given.length > 1 ? (given[0] as ResolvedHandlerOptions) : {}
    this.#registry.add(name, { name: options.name ?? `on:${name}`, events: [name], replies: false, handler, options })
    return this
  }

  registrations(): readonly Registration[] {
    return this.#registry.all()
  }

  match(...given: Parameters<WorkerHost['match']>): readonly Registration[] {
    return this.#registry.match(...given)
  }

  parse(body: Uint8Array, form: 'json' | 'form'): ParsedPayload {
    return toPayload(decodePayload(body, form, Number.POSITIVE_INFINITY), this.parsePayload)
  }

  whenIdle(_timeout: number): Promise<void> {
    return this.idle
  }

  attempted({ handler, outcome }: EndedAttempt): void {
    this.attempts.push([handler, outcome])
  }

  onError({ error, delivery }: HandlerFailure): void {
    this.errors.push([error, delivery.guid])
  }

  onDead({ error, delivery }: HandlerFailure): void {
    this.dead.push([error, delivery.guid])
  }
}
