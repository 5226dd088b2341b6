import { parsePostgresUrl, passwordEncoding } from '../../postgres/connection-target.ts'
import { bounds, isSchemaName, schemaNames } from '../../postgres/options.ts'
import { asBoolean, asDuration, asSize, asText, Expected, type SettingsOf } from '../setting.ts'

/** Where deliveries are kept, and for how long. */
export interface DatabaseValues {
  /** A path, or an address with all that it takes to get in: `shownDatabase()` is what may be shown. */
  database: string
  databaseUrlFile: string | undefined
  databaseSchema: string | undefined
  databaseConnections: number | undefined
  databaseMigrate: boolean | undefined
  /** Milliseconds. */
  retention: number | undefined
  /** Bytes. */
  maxSize: number | undefined
}

export const databaseSettings: SettingsOf<DatabaseValues> = {
  database: {
    placeholder: '<database>',
    help: 'the file of the inbox, or the address of a PostgreSQL: postgres://user@host/name (hookserver.db)',
    variables: ['DATABASE_URL'],
    fallback: 'hookserver.db',
    parse: asDatabase,
  },
  databaseUrlFile: {
    placeholder: '<file>',
    help: 'the file that holds that address, if it has a password',
    fallback: undefined,
    parse: asFileOfAddress,
  },
  databaseSchema: {
    placeholder: '<name>',
    help: 'the schema of its tables in PostgreSQL (hookserver)',
    fallback: undefined,
    parse: asSchema,
  },
  databaseConnections: {
    placeholder: '<number>',
    help: 'how many connections to PostgreSQL this process may have, beside three of its own, and one more if it handles (10)',
    fallback: undefined,
    parse: asConnections,
  },
  databaseMigrate: {
    placeholder: '<boolean>',
    help: 'whether its tables are made and brought up to date at the start, or by "hookserver migrate" alone (true)',
    fallback: undefined,
    parse: asBoolean,
  },
  retention: {
    placeholder: '<time>',
    help: 'how long a delivery is kept that has ended (30d)',
    fallback: undefined,
    parse: asDuration,
  },
  maxSize: {
    placeholder: '<size>',
    help: 'the largest size of the file; what has ended goes before it grows larger (no limit)',
    fallback: undefined,
    parse: asSize,
  },
}

/** Whether that is the path of a file, and not the address of a database server. */
export const isFile = (database: string): boolean => !/^postgres(ql)?:/.test(database)

/** Of an address neither the password nor the parameters, of which one may be a password, too. */
export function shownDatabase(database: string): string {
  if (isFile(database)) return database
  const { protocol, username, host, pathname } = parsePostgresUrl(database) ?? {}
  return protocol ? `${protocol}//${username && `${username}@`}${host}${pathname}` : 'postgres://…'
}

function asDatabase(text: string): string {
  if (/^["'`]|["'`]$/.test(text)) throw new Expected('a value without quotes around it: remove them')
  if (text !== '' && text !== text.trim()) {
    throw new Expected('a value without white space before or after it: remove it')
  }
  if (isFile(text) ? !isUnsupportedAddress(text) : parsePostgresUrl(text)) return asText(text)
  throw new Expected(`a file, or an address such as postgres://user:password@host:5432/name, where ${passwordEncoding}`)
}

/** The file that holds the address, and not the address itself. */
function asFileOfAddress(text: string): string {
  if (isFile(text) && !isUnsupportedAddress(text)) return asText(text)
  throw new Expected('the path of a file that holds the address; --database takes the address itself')
}

/** An address of another kind: as a file name it would show a password in the folder and in the log. */
const isUnsupportedAddress = (text: string): boolean => /:\/\/|\bpassword\s*=/i.test(text)

function asSchema(text: string): string {
  if (isSchemaName(text)) return text
  throw new Expected(schemaNames)
}

function asConnections(text: string): number {
  const [connections, [least, most]] = [Number(text), bounds.connections]
  if (/^\d{1,4}$/.test(text) && connections >= least && connections <= most) return connections
  throw new Expected(`a number of connections, from ${least} to ${most}`)
}
