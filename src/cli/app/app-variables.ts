/** The variables of an App in a `.env` file. */
import { existsSync } from 'node:fs'
import { checkWritable, readVariables, updateEnvFile } from '../../server/config/env-file.ts'
import { assertUnlocked, isLocked, withFileLock } from '../../server/config/file-lock.ts'

/** The values that the commands write. hookserver itself does not need the client id and the client secret. */
interface AppVariables {
  id: string | number
  privateKey: string
  webhookSecret: string
  clientId: string | undefined
  clientSecret: string | undefined
}

const names = {
  id: 'GITHUB_APP_ID',
  privateKey: 'GITHUB_APP_PRIVATE_KEY',
  webhookSecret: 'GITHUB_WEBHOOKS_KEY',
  clientId: 'GITHUB_CLIENT_ID',
  clientSecret: 'GITHUB_CLIENT_SECRET',
} as const

export function variablesFor(app: AppVariables): Record<string, string> {
  const members = Object.keys(names) as (keyof AppVariables)[]
  return Object.fromEntries(
    members.flatMap((member) => (app[member] === undefined ? [] : [[names[member], String(app[member])]])),
  )
}

/** The names of an App's variables that a file sets. */
function appNamesIn(path: string): string[] {
  const file = existsSync(path) ? readVariables(path) : {}
  return Object.values(names).filter((name) => file[name])
}

/** The message about a lock that another command holds on a file. */
const lockProblem = (path: string): string => `Another command is writing an App to ${path}`

/**
 * Creates the variables of an App, and writes them to a file. Another command cannot write an App to the file in the
 * meantime. An editor can, so the file is read again before it is written.
 * @throws {Error} that says what to do, for example if the file has an App.
 */
export function writeApp<Created extends { variables: Readonly<Record<string, string>> }>(
  path: string,
  create: () => Promise<Created> | Created,
): Promise<Created> {
  return withFileLock(path, lockProblem(path), async () => {
    assertNoApp(path)
    const created = await create()
    assertNoApp(path)
    updateEnvFile(path, created.variables)
    return created
  })
}

/** Checks, before GitHub creates an App, whether `writeApp` can write it to a file. @throws {Error} */
export function checkCanWriteApp(path: string): void {
  checkWritable(path)
  assertUnlocked(path, lockProblem(path))
}

/** Whether a file has an App, or another command is writing one. False if the file cannot be read. */
export function hasApp(path: string): boolean {
  try {
    return isLocked(path) || appNamesIn(path).length > 0
  } catch {
    return false
  }
}

/**
 * Requires that neither the file nor the environment sets one of these variables, because a second App would replace a
 * key that GitHub does not show again.
 * @throws {Error} that says what to do.
 */
export function assertNoApp(path: string): void {
  const inFile = appNamesIn(path)
  if (inFile.length > 0) {
    const cures = 'see the App with "npx hookserver app status", or write another file with --output'
    throw new Error(`${path} already sets ${inFile.join(', ')}, and nothing was changed: ${cures}`)
  }
  const inEnvironment = Object.values(names).filter((name) => process.env[name])
  if (inEnvironment.length === 0) return
  const reason = `The environment takes precedence over ${path}, so nothing was changed`
  const cure = 'Unset the variables, or see the App with "npx hookserver app status"'
  throw new Error(`The environment already sets ${inEnvironment.join(', ')}. ${reason}. ${cure}`)
}
