/** Errors of missing or wrong credentials, with the setting that cures each. */
import { optionOrFlag } from '../runtime/option-or-flag.ts'
import { githubApi } from '../settings.ts'

export const appVariables = 'GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY'

/** The environment variable of the token. */
export const tokenVariable = (apiUrl: string): string =>
  apiUrl === githubApi ? 'GITHUB_TOKEN' : `HOOKSERVER_GITHUB_TOKEN (GITHUB_TOKEN is for ${githubApi} only)`

export function needsCredentials(call: string, apiUrl: string): Error {
  const options = 'set the option "app" ({ id, privateKey }) or the option "token" of new Hooks()'
  const variables = `set ${tokenVariable(apiUrl)}, or create an App with "npx hookserver app create"`
  return new Error(`${call} needs credentials: ${optionOrFlag(options, variables)}`)
}

/** The option `app` is a function, which has returned no App, or which cannot be called without a delivery. */
export function noChosenApp(apiUrl: string, call: 'delivery.octokit()' | 'hooks.octokit()'): Error {
  const token = optionOrFlag('set the option "token" of new Hooks()', `set ${tokenVariable(apiUrl)}`)
  const reason =
    call === 'delivery.octokit()'
      ? 'the function of the option "app" returned no App for this delivery: return one'
      : 'the option "app" is a function that needs a delivery: use delivery.octokit()'
  return new Error(`${call} needs credentials: ${reason}, or ${token}`)
}

export function noInstallation(apiUrl: string): Error {
  const setting = optionOrFlag('the option "token"', tokenVariable(apiUrl))
  return new Error(
    'delivery.octokit(): this delivery does not come from an installation of an App, so hookserver cannot use the App. ' +
      `For a webhook that does not belong to the App, also set ${setting}. ` +
      'Add --set installation.id=<id> to "npx hookserver send", with an id that "npx hookserver app status" lists',
  )
}

/** @param choosesApp Whether the option `app` is a function. */
export function noApp(choosesApp: boolean): Error {
  if (choosesApp) {
    return new Error('No App is configured: the option "app" is a function, which chooses the App of a delivery')
  }
  const option = 'set the option "app" ({ id, privateKey }) of new Hooks()'
  const variables = `set ${appVariables}, or create an App with "npx hookserver app create"`
  return new Error(`No App is configured: ${optionOrFlag(option, variables)}`)
}

export function unauthorizedApp(id: number | string, cause: Error): Error {
  const settings = optionOrFlag('"id" and "privateKey" of the option "app"', appVariables)
  const text =
    `GitHub does not accept the key of App ${id}: check that ${settings} belong ` +
    `together, and that the key was not deleted (${cause.message})`
  return Object.assign(new Error(text, { cause }), { status: 401 })
}
