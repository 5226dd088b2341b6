import { type Config, ConfigError } from './config.ts'
import { readLine } from './secret.ts'
import { Expected } from './setting.ts'
import { isFile } from './settings/database.ts'
import { settings } from './settings.ts'

/** Sets the database to the address in the file of `--database-url-file`, if one is named. @throws {ConfigError} */
export function withDatabaseUrl(config: Config): Config {
  const { value: file, source } = config.databaseUrlFile
  if (file === undefined) return config
  try {
    return { ...config, database: { value: readAddress(file), source } }
  } catch (error) {
    throw new ConfigError([`${source}: ${(error as Error).message}`])
  }
}

/** @throws {Error} that shows no part of the file's text. */
function readAddress(file: string): string {
  const text = readLine(file)
  const address = text === '' ? text : parseAddress(file, text)
  if (!isFile(address)) return address
  throw new Error(`${file} must hold the address of a database, such as postgres://user:password@host/name`)
}

function parseAddress(file: string, text: string): string {
  try {
    return settings.database.parse(text)
  } catch (error) {
    throw error instanceof Expected ? new Error(`${file}: expected ${error.message}`) : error
  }
}
