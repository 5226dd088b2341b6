/** Checks the event names of the handlers. A name that hookserver does not know is fine if GitHub has used it. */
import { existsSync } from 'node:fs'
import { relative } from 'node:path'
import { cureForUnknown, unknownNames } from '../../events.ts'
import type { Store } from '../../inbox/inbox.ts'
import { hasReceived } from '../../inbox/unknown-names.ts'
import { type Finding, warning } from '../../runtime/finding.ts'
import { isFile } from '../../server/config/database-settings.ts'
import { eventNamesOf, type HooksModule } from '../../server/config/hooks-module.ts'
import type { Config } from '../../server/config/resolve-config.ts'
import { openPassively } from '../../server/open-inbox.ts'

/**
 * The unknown names that the inbox has deliveries of. None if the inbox cannot be opened: `checkDatabase` reports why.
 * @param ownInbox The inbox of the module, if the server uses it.
 */
export async function receivedNames(
  module: HooksModule,
  config: Config,
  ownInbox: Store | undefined,
): Promise<Set<string>> {
  const received = new Set<string>()
  const unknown = unknownNames(eventNamesOf(module))
  const isMissing = !ownInbox && isFile(config.database.value) && !existsSync(config.database.value)
  if (unknown.length === 0 || isMissing) return received
  try {
    const inbox = ownInbox ?? (await openPassively(config))
    try {
      for (const name of unknown) if (await hasReceived(inbox, name)) received.add(name)
    } finally {
      if (!ownInbox) await inbox.close()
    }
  } catch {
    // `checkDatabase` opens the inbox too, and reports the error.
  }
  return received
}

export function* checkEventNames(module: HooksModule, usedNames: ReadonlySet<string>): Generator<Finding> {
  for (const name of unknownNames(eventNamesOf(module), usedNames)) {
    const cure = cureForUnknown(name, 'ignore this warning: the handler runs')
    const { at } = module.hooks.registrations.find(({ events }) => events.includes(name)) ?? {}
    const where = at === undefined ? module.name : relative('', at)
    yield warning('module', `${where} has a handler for the unknown event "${name}"`, cure)
  }
}
