import { asDuration, asSize, asText, type SettingsOf } from '../setting.ts'

/** Where deliveries are kept, and for how long. */
export interface DatabaseValues {
  database: string
  /** Milliseconds. */
  retention: number | undefined
  /** Bytes. */
  maxSize: number | undefined
}

export const databaseSettings: SettingsOf<DatabaseValues> = {
  database: {
    placeholder: '<file>',
    help: 'the file of the inbox (hookserver.db)',
    variables: ['DATABASE_URL'],
    fallback: 'hookserver.db',
    parse: asText,
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
