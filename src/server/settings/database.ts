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
    parse: asText,
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
  const { protocol, username, host, pathname } = parse(database) ?? {}
  return protocol ? `${protocol}//${username && `${username}@`}${host}${pathname}` : 'postgres://…'
}

function asDatabase(text: string): string {
  if (isFile(text) && !/^\w+:\/\//.test(text)) return asText(text)
  if (!isFile(text) && parse(text)) return text
  throw new Expected(
    'a file, or an address such as postgres://user:password@host:5432/name, where @ : / ? # % in a password are written as %40 %3A %2F %3F %23 %25',
  )
}

/** `undefined` where what was meant as a part of the password ends up elsewhere, or cannot be decoded. */
function parse(address: string): URL | undefined {
  const url = URL.parse(address)
  if (!url || !address.startsWith(`${url.protocol}//`) || url.hash || /@/.test(url.host + url.pathname + url.search))
    return undefined
  try {
    decodeURIComponent(url.username + url.password + url.pathname)
    return url
  } catch {
    return undefined
  }
}

function asSchema(text: string): string {
  if (isSchemaName(text)) return text
  throw new Expected(schemaNames)
}

function asConnections(text: string): number {
  const [connections, [least, most]] = [Number(text), bounds.connections]
  if (/^\d{1,4}$/.test(text) && connections >= least && connections <= most) return connections
  throw new Expected(`a number of connections, from ${least} to ${most}`)
}
