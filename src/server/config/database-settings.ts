import * as v from 'valibot'
import { bounds, isSchemaName, parsePostgresUrl, passwordEncoding, schemaNames } from '../../postgres/options.ts'
import { type Schema, textValue } from '../schema.ts'
import { boolean, duration, setting, size } from './setting.ts'

/** Whether this is the path of a file, and not the address of a database server. */
export const isFile = (database: string): boolean => !/^postgres(ql)?:/.test(database)

/** Leaves out the password, and the parameters, since one of them may be a password. */
export function shownDatabase(database: string): string {
  if (isFile(database)) return database
  const { protocol, username, host, pathname } = parsePostgresUrl(database) ?? {}
  return protocol ? `${protocol}//${username && `${username}@`}${host}${pathname}` : 'postgres://…'
}

/** Another kind of address. Used as a file name, it would show a password in the folder and in the log. */
const isUnsupportedAddress = (text: string): boolean => /:\/\/|\bpassword\s*=/i.test(text)

/** A path, or an address with its password: log it only with `shownDatabase`. */
const database = v.pipe(
  v.string(),
  v.check((text) => !/^["'`]|["'`]$/.test(text), 'a value without quotes around it: remove them'),
  v.check((text) => text === '' || text === text.trim(), 'a value without white space before or after it: remove it'),
  v.check(
    (text) => (isFile(text) ? !isUnsupportedAddress(text) : parsePostgresUrl(text) !== undefined),
    `a file, or an address such as postgres://user:password@host:5432/name, where ${passwordEncoding}`,
  ),
  v.check((text) => text !== '', 'something that is not empty'),
) as Schema<string>

const [minConnections, maxConnections] = bounds.connections

/** Where deliveries are stored, and for how long. */
export const databaseSettings = {
  database: setting({
    placeholder: '<database>',
    help: 'File of the inbox, or address of a PostgreSQL: postgres://user@host/name (hookserver.db)',
    variables: ['DATABASE_URL'],
    schema: database,
    default: 'hookserver.db',
  }),
  databaseUrlFile: setting({
    placeholder: '<file>',
    help: 'File that holds the address, if it has a password',
    schema: textValue('the path of a file that holds the address; --database takes the address itself', (text) =>
      isFile(text) && !isUnsupportedAddress(text) && text.trim() !== '' ? text : undefined,
    ),
  }),
  databaseSchema: setting({
    placeholder: '<name>',
    help: 'PostgreSQL schema of the tables (hookserver)',
    schema: textValue(schemaNames, (text) => (isSchemaName(text) ? text : undefined)),
  }),
  databaseConnections: setting({
    placeholder: '<number>',
    help: 'Connections to PostgreSQL of this process, besides three of its own, and one more if it runs handlers (10)',
    schema: textValue(`a number of connections, from ${minConnections} to ${maxConnections}`, (text) => {
      const number = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN
      return number >= minConnections && number <= maxConnections ? number : undefined
    }),
  }),
  databaseMigrate: setting({
    placeholder: '<boolean>',
    help: 'Whether to create and migrate the tables at the start, or only by "hookserver migrate" (true)',
    schema: boolean,
  }),
  retention: setting({
    placeholder: '<time>',
    help: 'How long to keep a delivery that has ended (30d)',
    schema: duration,
  }),
  maxSize: setting({
    placeholder: '<size>',
    help: 'Largest size of the file: ended deliveries are deleted before it grows larger (no limit)',
    schema: size,
  }),
}
