/** Conflicts between settings. */
import { isLoopback } from '../../runtime/loopback.ts'
import { isFile } from './database-settings.ts'
import { type Config, ConfigError } from './resolve-config.ts'

/**
 * Checks for conflicts between settings that come from flags or environment variables. Flags and variables take
 * precedence over the module, so a change of the module cannot resolve these conflicts.
 * @throws {ConfigError}
 */
export function checkWithoutModule(config: Config): void {
  if (config.dev.value) publicHost(config)
  const { source, isGeneric } = config.database
  if (source !== undefined && !isGeneric) checkDatabase(config)
  checkPull(config)
}

/**
 * The address of the public listener. It is on loopback with `--dev`. Without signature checks, it is on loopback
 * unless `--insecure` is set.
 * @param signed Whether signatures are checked.
 * @throws {ConfigError} if the address must be on loopback, and a setting names another one.
 */
export function publicHost({ host, dev, insecure }: Config, signed = true): string {
  const loopbackOnly = dev.value || (!signed && !insecure.value)
  if (!loopbackOnly) return host.value
  if (host.source === undefined) return '127.0.0.1'
  if (isLoopback(host.value)) return host.value
  const why = dev.value
    ? 'with --dev the server listens on loopback only: leave out --dev'
    : 'other machines could send unsigned deliveries: turn on --validate-signature, add --insecure'
  throw new ConfigError([`${host.source}: ${host.value} is not a loopback address, and ${why}, or listen on 127.0.0.1`])
}

/**
 * @param host The address of the public listener.
 * @throws {ConfigError} if both listeners would bind to one port of one address.
 */
export function checkPorts({ port, adminHost, adminPort }: Config, host: string): void {
  const overlap = host === adminHost.value || [host, adminHost.value].some((one) => one === '0.0.0.0' || one === '::')
  if (port.value === 0 || port.value !== adminPort.value || !overlap) return
  const source = adminPort.source ?? port.source
  throw new ConfigError([`${source}: both listeners have the port ${port.value}: choose another one for --admin-port`])
}

/** Rejects settings that the database would ignore. @throws {ConfigError} */
export function checkDatabase(config: Config): void {
  const inFile = isFile(config.database.value)
  const ignored = inFile
    ? (['databaseSchema', 'databaseConnections', 'databaseMigrate'] as const)
    : (['maxSize'] as const)
  const problems = ignored.flatMap((name) => (config[name].source === undefined ? [] : [config[name].source]))
  if (problems.length === 0) return
  const why = inFile
    ? 'applies to PostgreSQL only, and the inbox is a file: leave it out, or pass a postgres:// URL with --database'
    : 'applies to an SQLite file only, and the inbox is in PostgreSQL: leave it out, and limit the age of deliveries with --retention'
  throw new ConfigError(problems.map((source) => `${source}: ${why}`))
}

/** @throws {ConfigError} if a receiver is configured to poll. */
export function checkPull({ pull, role }: Config): void {
  if (pull.value === undefined || role.value !== 'receiver') return
  throw new ConfigError([`${pull.source}: a receiver does not poll GitHub's delivery log: leave out --role receiver`])
}
