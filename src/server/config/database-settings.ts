import * as v from 'valibot'
import {
  isSchemaName,
  maxConnections,
  minConnections,
  parsePostgresUrl,
  passwordEncoding,
  schemaNames,
} from '../../postgres/options.ts'
import { type Schema, textValue } from '../schema.ts'
import { boolean, duration, setting, size } from './setting.ts'

/** Whether this is the path of a file, not the URL of a database server. */
export const isFile = (database: string): boolean => !/^postgres(ql)?:/.test(database)

/** The path, or the URL without its password and without its parameters, which may contain a password. */
export function shownDatabase(database: string): string {
  if (isFile(database)) return database
  const { protocol, username, host, pathname } = parsePostgresUrl(database) ?? {}
  return protocol ? `${protocol}//${username && `${username}@`}${host}${pathname}` : 'postgres://…'
}

/**
 * Whether this is a URL or a connection string that we do not support. The settings reject it instead of using it as
 * the path of a file: PostgreSQL would get no delivery, and the name of the file would show the password in the folder and
 * in the log.
 */
const isUnsupportedAddress = (text: string): boolean => /:\/\/|\b(?:password|host|dbname)\s*=/i.test(text)

/** A path, or a URL that may contain a password: log it only with `shownDatabase`. */
const database = v.pipe(
  v.string(),
  v.check((text) => !/^["'`]|["'`]$/.test(text), 'a value without quotes around it'),
  v.check((text) => text === '' || text === text.trim(), 'a value without white space around it'),
  v.check(
    (text) => (isFile(text) ? !isUnsupportedAddress(text) : parsePostgresUrl(text) !== undefined),
    `a file, or a URL such as postgres://user:password@host:5432/name, where ${passwordEncoding}`,
  ),
  v.check((text) => text !== '', 'a value that is not empty'),
) as Schema<string>

/** Where deliveries are stored, and for how long. */
export const databaseSettings = {
  database: setting({
    placeholder: '<database>',
    help: 'SQLite file or postgres:// URL of the inbox (default: hookserver.db)',
    genericVariable: 'DATABASE_URL',
    schema: database,
    default: 'hookserver.db',
  }),
  databaseUrlFile: setting({
    placeholder: '<file>',
    help: 'File that contains the postgres:// URL',
    schema: textValue('the path of a file that contains the URL; pass the URL itself with --database', (text) =>
      isFile(text) && !isUnsupportedAddress(text) && text.trim() !== '' ? text : undefined,
    ),
  }),
  databaseSchema: setting({
    placeholder: '<name>',
    help: 'PostgreSQL schema of the tables (default: hookserver)',
    schema: textValue(schemaNames, (text) => (isSchemaName(text) ? text : undefined)),
  }),
  databaseConnections: setting({
    placeholder: '<number>',
    help: 'Maximum PostgreSQL connections for deliveries; a process opens 3 more, 4 if it runs handlers (default: 10)',
    schema: textValue(`a number of connections from ${minConnections} to ${maxConnections}`, (text) => {
      const number = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN
      return number >= minConnections && number <= maxConnections ? number : undefined
    }),
  }),
  databaseMigrate: setting({
    placeholder: '<boolean>',
    help: 'Create and migrate the tables at startup (default: true)',
    schema: boolean,
  }),
  retention: setting({
    placeholder: '<time>',
    help: 'How long to keep ended deliveries (default: 30d)',
    schema: duration,
  }),
  auditRetention: setting({
    placeholder: '<time>',
    help: 'How long to keep entries of the audit log (default: 365d)',
    schema: duration,
  }),
  auditEntries: setting({
    placeholder: '<number>',
    help: 'Maximum entries of the audit log; the oldest are deleted first (default: 100000)',
    schema: textValue('a whole number, 1 at least', (text) =>
      /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined,
    ),
  }),
  maxSize: setting({
    placeholder: '<size>',
    help: 'Maximum size of the SQLite file; near it, ended deliveries are pruned (default: none)',
    schema: size,
  }),
}
