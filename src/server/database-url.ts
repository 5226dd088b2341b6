import { type Config, ConfigError } from './config.ts'
import { readLine } from './secret.ts'
import { Expected } from './setting.ts'
import { isFile } from './settings/database.ts'
import { settings } from './settings.ts'

/** With the address that stands in a file, where one is named. @throws {ConfigError} */
export function withDatabaseUrl(config: Config): Config {
  const { value: file, source } = config.databaseUrlFile
  if (file === undefined) return config
  const problem = (text: string) => new ConfigError([`${source}: ${text}`])
  let text: string
  try {
    text = readLine(file)
  } catch (error) {
    throw problem((error as Error).message)
  }
  if (isFile(text))
    throw problem(`${file} must hold the address of a database, such as postgres://user:password@host/name`)
  try {
    return { ...config, database: { value: settings.database.parse(text), source } }
  } catch (error) {
    if (error instanceof Expected) throw problem(`${file}: expected ${error.message}`)
    throw error
  }
}
