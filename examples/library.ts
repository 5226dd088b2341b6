/** A library that builds on hookserver. It registers handlers with the `Hooks` of its users, and keeps all types. */
import type { AnyEventName, CheckedNames, Handler, Hooks } from 'hookserver'

/** Registers a handler that runs only for some repositories, such as `acme/shop`. */
export function onRepositories<const Name extends AnyEventName>(
  hooks: Pick<Hooks, 'on'>,
  repositories: readonly string[],
  names: CheckedNames<Name>, // a mistyped name is a compile error
  handler: Handler<Name>,
): Handler<Name> {
  return hooks.on(names, (delivery) => {
    if (repositories.includes(delivery.repository ?? '')) return handler(delivery)
  })
}
