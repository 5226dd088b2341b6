import { needsCredentials } from '../github/credential-errors.ts'
import type { Handler, HandlerOptions, RegisteredHandler, Registration } from '../handler.ts'
import { KeyLocks } from '../runtime/mutex.ts'
import type { Settings } from '../settings.ts'
import type { Command } from './command.ts'
import { type CommandEvent, type CommandOptions, readCommand } from './command-options.ts'
import { commentIn, positionOf, possibleNames } from './comment.ts'
import type { RunnableCommand } from './run-command.ts'
import { helpName, maxCompared, similarCommand } from './similar.ts'

/** The part of the `Registrar` of a `Hooks` that commands use. */
interface CommandRegistrar {
  register(
    names: readonly string[],
    options: HandlerOptions,
    given: unknown,
    toHandler: (given: never) => RegisteredHandler,
  ): void
}

/** The part of the `Registry` of a `Hooks` that commands use. */
interface CommandRegistry {
  /** Removes a handler. @returns Whether there was one. */
  remove(name: string, given: unknown): boolean
  /** Removes a handler for all of its events: several may have the same function. */
  removeRegistration(registration: Registration): void
  /** All handlers. */
  all(): readonly Registration[]
}

/** The name of the handler that answers `/help` and misspelled names. */
const helpHandler = 'command:help'

/** The comment commands of a `Hooks`: registers a handler for each, and one that answers `/help` and misspelled names. */
export class Commands {
  readonly #registrar: CommandRegistrar
  readonly #registry: CommandRegistry
  /** The handlers of one delivery run one after the other. */
  readonly #locks = new KeyLocks()
  /** The events of the handler for help: those of comments in which a command is found. */
  #helpEvents: readonly string[] = []

  constructor(registrar: CommandRegistrar, registry: CommandRegistry) {
    this.#registrar = registrar
    this.#registry = registry
  }

  /** See `Hooks.command()`. @throws {TypeError} naming the wrong argument or option. */
  add(text: unknown, options: CommandOptions | undefined, given: unknown): void {
    const { command, usage, events, handlerOptions } = readCommand(text, options)
    const { name } = command
    if (this.#all().some((other) => other.name === name)) throw new TypeError(`The command ${name} exists already`)
    const positionIn: Registration['positionIn'] = (payload) => positionOf(command, payload)
    this.#registrar.register(events, handlerOptions, given, (own: RunnableCommand['handler']) => {
      const runnable: RunnableCommand = { command, usage, handler: (delivery) => own(delivery) }
      const handler: Handler = async (delivery) =>
        (await import('./run-command.ts')).runCommand(runnable, delivery, this.#locks)
      return { replies: false, handler, command, positionIn }
    })
    this.#addHelp(events)
  }

  /** Removes a command. @returns Whether there was one with this handler. */
  remove(name: string, given: unknown): boolean {
    const found = this.#registry.all().find(({ command, given: own }) => command?.name === name && own === given)
    if (found) this.#registry.removeRegistration(found)
    return found !== undefined
  }

  /** @throws {Error} if there are commands, and no credentials for the requests to GitHub. */
  check({ app, token, apiUrl }: Pick<Settings, 'app' | 'token' | 'apiUrl'>): void {
    const registration = this.#registry.all().find(({ command }) => command)
    if (!registration || app !== undefined || token !== undefined) return
    const { command, at } = registration
    const call = `hooks.command('${command?.name}')${at === undefined ? '' : ` at ${at}`}`
    throw needsCredentials(`${call} asks GitHub for the permission of each author, so it`, apiUrl)
  }

  /** All commands, or those for deliveries of a source. */
  #all(source?: string): Command[] {
    const isFor = ({ options }: Registration) =>
      source === undefined || options.source === undefined || [options.source].flat().includes(source)
    return this.#registry.all().flatMap((one) => (one.command && isFor(one) ? one.command : []))
  }

  /** Registers the handler for help for these events too. It answers only new comments. */
  #addHelp(events: readonly CommandEvent[]): void {
    const comments = events.filter((event) => event.endsWith('comment.created'))
    if (comments.every((event) => this.#helpEvents.includes(event))) return
    for (const event of this.#helpEvents) this.#registry.remove(event, this.#answerHelp)
    this.#helpEvents = [...new Set([...this.#helpEvents, ...comments])]
    this.#registrar.register(this.#helpEvents, { name: helpHandler }, this.#answerHelp, (handler: Handler) => ({
      ...{ replies: false, handler, isInternal: true, positionIn: this.#helpPosition },
    }))
  }

  readonly #answerHelp: Handler = async (delivery) =>
    (await import('./run-command.ts')).answerHelp(this.#all(delivery.source), delivery, this.#locks)

  /** The position of the first name in a comment that needs an answer. */
  readonly #helpPosition: NonNullable<Registration['positionIn']> = (payload, source) => {
    const comment = commentIn(payload)
    if (!comment || comment.isByBot) return undefined
    const commands = this.#all(source).filter(({ on }) => on.includes(comment.target))
    const answersHelp = commands.some(({ isListed }) => isListed) && !commands.some(({ name }) => name === helpName)
    const names = possibleNames(comment.body)
    if (answersHelp && names.has(helpName)) return names.get(helpName)
    return [...names].slice(0, maxCompared).find(([name]) => similarCommand(name, commands))?.[1]
  }
}
