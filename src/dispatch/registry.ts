import { splitName } from '../events.ts'
import type { HandlerOptions, Registration } from '../handler.ts'
import { isStorable } from '../runtime/check-options.ts'
import { getOrCreate } from '../runtime/get-or-create.ts'
import type { Json } from '../runtime/json.ts'
import { MountedSources } from './mounted-sources.ts'

/** The handlers of an event: those for any action, and those for one action. */
interface EventHandlers {
  any: Registration[]
  byAction: Map<string, Registration[]>
}

const none: readonly Registration[] = []

/** Whether a delivery can match both. `undefined` matches every source. */
function mayShare(one: HandlerOptions['source'], other: HandlerOptions['source']): boolean {
  return one === undefined || other === undefined || [one].flat().some((source) => [other].flat().includes(source))
}

/**
 * The handlers for which a payload is. Those with a position are sorted by it, and share the places that they have in
 * the list.
 */
function placed(matches: readonly Registration[], payload: Json, source: string): readonly Registration[] {
  const positions = new Map<Registration, number>()
  for (const one of matches) {
    const position = one.positionIn?.(payload, source)
    if (position !== undefined) positions.set(one, position)
  }
  const sorted = [...positions].sort(([, a], [, b]) => a - b).map(([one]) => one)
  return matches.flatMap((one) => (one.positionIn ? (positions.has(one) ? (sorted.shift() ?? []) : []) : [one]))
}

/**
 * The handlers by event and action. Event and action of a delivery are untrusted, so they are used only as keys of a
 * `Map`: `constructor`, `__proto__`, `*` or `issues.opened` in the event header are unknown events.
 */
export class Registry {
  readonly mountedSources: MountedSources
  readonly #events = new Map<string, EventHandlers>()
  readonly #wildcard: Registration[] = []
  /** How often the handlers with a handler name are registered. */
  readonly #handlerNames = new Map<string, number>()
  /** The result of `all()`, until the handlers change. */
  #all: readonly Registration[] | undefined
  /** Whether a handler has the option `source`. */
  #hasSources = false
  /** Whether a handler gets only some payloads. */
  #hasPositions = false

  /** @param ownSources The sources of the deliveries that hookserver itself makes. */
  constructor(ownSources: readonly string[] = []) {
    this.mountedSources = new MountedSources(ownSources)
  }

  /** @throws {TypeError} for a name that is neither `event`, `event.action` nor `*`. */
  add(name: string, registration: Registration): void {
    this.#listFor(name).push(registration)
    this.#hasSources ||= registration.options.source !== undefined
    this.#hasPositions ||= registration.positionIn !== undefined
    this.#changed(registration, 1)
  }

  /** @throws {TypeError} for a name that is neither `event`, `event.action` nor `*`. */
  check(name: string): void {
    if (name === '*' || (/^[^\s.*]+(\.[^\s*]+)?$/.test(name) && isStorable(name))) return
    throw new TypeError(`An event name must be "event", "event.action" or "*", got ${JSON.stringify(name)}`)
  }

  /** Whether `name` has a hook, whose return value is the reply, for one of these sources. */
  hasHook(name: string, sources: HandlerOptions['source']): boolean {
    return this.#listFor(name).some(({ replies, options }) => replies && mayShare(options.source, sources))
  }

  /** Removes one registration of a function for `name`, except those of commands. @returns Whether there was one. */
  remove(name: string, given: unknown): boolean {
    const registration = this.#listFor(name).find((one) => (one.given ?? one.handler) === given && !one.command)
    return registration !== undefined && this.#removeFrom(name, registration)
  }

  /** Removes a registration for all of its names. */
  removeRegistration(registration: Registration): void {
    for (const name of [...registration.events]) this.#removeFrom(name, registration)
  }

  #removeFrom(name: string, registration: Registration): boolean {
    const list = this.#listFor(name)
    const index = list.indexOf(registration)
    if (index < 0) return false
    list.splice(index, 1)
    registration.events = registration.events.filter((event) => event !== name)
    this.#changed(registration, -1)
    return true
  }

  /** Whether a registered handler has this handler name. */
  hasHandlerName(name: string): boolean {
    return (this.#handlerNames.get(name) ?? 0) > 0
  }

  /** The handlers of a delivery, each once: the most specific first, equally specific ones in order of registration. */
  match(event: string, action: string | undefined, source: string, payload: Json): readonly Registration[] {
    const all = this.#match(event, action)
    const matches = this.#hasSources ? all.filter((one) => this.#isFor(one, source)) : all
    return this.#hasPositions ? placed(matches, payload, source) : matches
  }

  #isFor(registration: Registration, source: string): boolean {
    if (mayShare(registration.options.source, source)) return true
    this.mountedSources.checkHandler(registration)
    return false
  }

  #match(event: string, action: string | undefined): readonly Registration[] {
    const handlers = this.#events.get(event)
    const byAction = (action !== undefined && handlers?.byAction.get(action)) || none
    const any = handlers?.any ?? none
    if (byAction.length === 0 && this.#wildcard.length === 0 && any.length < 2) return [...any]
    return [...new Set([...byAction, ...any, ...this.#wildcard])]
  }

  /** All handlers, without duplicates. */
  all(): readonly Registration[] {
    this.#all ??= this.#list()
    return this.#all
  }

  #list(): readonly Registration[] {
    const byEvent = [...this.#events.values()].flatMap(({ any, byAction }) => [
      ...any,
      ...[...byAction.values()].flat(),
    ])
    return [...new Set([...byEvent, ...this.#wildcard])]
  }

  #changed({ name }: Registration, change: 1 | -1): void {
    this.#handlerNames.set(name, (this.#handlerNames.get(name) ?? 0) + change)
    this.#all = undefined
  }

  #listFor(name: string): Registration[] {
    if (name === '*') return this.#wildcard
    this.check(name)
    const [event, action] = splitName(name)
    const handlers = getOrCreate(this.#events, event, () => ({ any: [], byAction: new Map() }))
    return action === undefined ? handlers.any : getOrCreate(handlers.byAction, action, () => [])
  }
}
