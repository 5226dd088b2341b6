/** The types that check the names of events at compile time, and the texts of the compile errors. */
import type { addedActions } from './added-events.ts'
import type { AnyEventName, EventName, EventPart, KnownEvent, knownActions } from './events.ts'

/**
 * `Name`, or a compile error that says that GitHub has no such event. A value of type `string` is never an error. The
 * actions of `repository_dispatch` and `schedule` are not checked, because senders and applications choose them.
 *
 * ```ts
 * function log<const Name extends AnyEventName>(name: CheckedName<Name>, handler: Handler<Name>) {
 *   return hooks.on(name, handler)
 * }
 * ```
 */
export type CheckedName<Name extends AnyEventName> = [UnknownLiteral<Name>] extends [never]
  ? Name
  : NoInfer<NameError<Name>>

/**
 * One or several names, each checked as by `CheckedName`. In the case of an error, the type is also a list of names,
 * from which editors complete the name that is being typed.
 */
export type CheckedNames<Name extends AnyEventName> = [UnknownLiteral<Name>] extends [never]
  ? Name | readonly Name[]
  : NoInfer<NameError<Name>> | readonly EventName[]

/** The members of the union `Name` that are literals, and no names of events. */
type UnknownLiteral<Name extends string> = Name extends EventName | `${'repository_dispatch' | 'schedule'}.${string}`
  ? never
  : string extends Name
    ? never
    : Name

/**
 * The text of a compile error. `infer` and `NoInfer` keep the compiler from computing it for type parameters, which
 * would take long.
 */
type NameError<Name extends string> =
  UnknownLiteral<Name> extends infer Literal extends string ? ErrorText<Literal> : never
type ErrorText<Name extends string> = string extends Name
  ? ''
  : Name extends unknown
    ? `${Name} is not an event of GitHub. ${Cure<Name>}`
    : never

type Cure<Name extends string, Event extends string = EventPart<Name>> = Event extends KnownEvent
  ? ActionList<Event> extends ''
    ? `${Event} has no actions.`
    : `The actions of ${Event} are ${ActionList<Event>}.`
  : Event extends keyof Misspelled
    ? `Did you mean ${Misspelled[Event]}?`
    : Event extends `${infer Singular extends KnownEvent}s`
      ? `Did you mean ${Singular}?`
      : `If it is new, write '${Name}' as string.`

/** The actions of an event, separated by spaces. */
type ActionList<Event extends string> = Event extends keyof Known
  ? Event extends keyof Added
    ? `${Known[Event]} ${Added[Event]}`
    : Known[Event]
  : Event extends keyof Added
    ? Added[Event]
    : ''
type Known = typeof knownActions
type Added = typeof addedActions

/** Maps names of events without one of their characters, or with hyphens, to the names. */
type Misspelled = { [Event in KnownEvent as Shortened<Event> | Exclude<Hyphenated<Event>, Event>]: Event }
type Shortened<
  Text extends string,
  Head extends string = '',
  Found extends string = never,
> = Text extends `${infer First}${infer Rest}` ? Shortened<Rest, `${Head}${First}`, Found | `${Head}${Rest}`> : Found
type Hyphenated<Text extends string> = Text extends `${infer Head}_${infer Tail}` ? `${Head}-${Hyphenated<Tail>}` : Text
