import { missingIdentity } from '../github/missing-identity.ts'
import { SweepClients } from '../github/sweep-clients.ts'
import type { Target } from '../github/target.ts'
import type { Hooks } from '../hooks.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { HooksOptions } from '../options.ts'
import type { Settings } from '../settings.ts'
import { type Config, ConfigError, type ConfigValue } from './config/resolve-config.ts'

/** The parts of a reader of GitHub's delivery log. */
export interface ReaderParts {
  config: Config
  hooks: Hooks
  /** Options of the server, in addition to those of `hooks`. */
  mounting: HooksOptions
  inbox: Inbox
}

/** The setting that names whose deliveries are read. */
type Named = ConfigValue<Target[] | undefined>

/** @throws {ConfigError} if no credentials for GitHub are configured. */
export function checkIdentity({ value: targets = [], source }: Named, settings: Settings): void {
  const missing = missingIdentity(targets, settings)
  if (missing !== undefined) throw new ConfigError([`${source}: ${missing}`])
}

/** Reads GitHub's delivery log. @throws {ConfigError} if no credentials for GitHub are configured. */
export function clientsFor(named: Named, settings: Settings): SweepClients {
  checkIdentity(named, settings)
  return new SweepClients(settings)
}
