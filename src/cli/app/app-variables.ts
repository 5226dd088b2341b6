/** The variables of an App in a `.env` file. */
import { existsSync } from 'node:fs'
import { readVariables } from '../../server/config/env-file.ts'

/** The values that the commands write. hookserver itself does not need the client id and the client secret. */
export interface AppVariables {
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

/**
 * Requires that neither the file nor the environment sets one of these variables, because a second App would replace a
 * key that GitHub does not show again.
 * @throws {Error} that says what to do.
 */
export function assertNoApp(path: string): void {
  const file = existsSync(path) ? readVariables(path) : {}
  const inFile = Object.values(names).filter((name) => file[name])
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
