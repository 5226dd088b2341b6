import { appWithoutDelivery, readApp } from '../app.ts'
import type { Hooks } from '../hooks.ts'
import { optionsOf } from '../internals.ts'
import { readEnvironment } from './environment.ts'
import type { Options } from './options.ts'
import { type ApplicationFunction, Probot } from './probot.ts'

/**
 * Registers the handlers of a Probot app on a `Hooks`. With an inbox, each handler has attempts of its own.
 *
 * ```ts
 * const hooks = new Hooks({ inbox: sqlite('hookserver.db') })
 * await probot(hooks, app)
 * ```
 * @param options Override the options of the `Hooks`, such as `app` and `token`, and the environment.
 * @returns The app, once it is loaded.
 * @throws {Error} (rejects) if the app fails, or if there are no credentials.
 */
export async function probot(
  hooks: Hooks,
  app: ApplicationFunction | ApplicationFunction[],
  options: Options = {},
): Promise<Probot> {
  const given = { ...optionsFrom(hooks), ...options }
  const environment = readEnvironment(process.env, given)
  const instance = new Probot({
    ...environment,
    ...given,
    hooks,
    // Not copied, because `serve` overrides the option of the `Hooks` after the app is loaded.
    get baseUrl() {
      return options.baseUrl ?? optionsOf(hooks).apiUrl ?? environment.baseUrl
    },
  })
  await instance.load(app)
  return instance
}

/** The options of a `Hooks` that an app needs too. */
function optionsFrom(hooks: Hooks): Options {
  const { app, token } = optionsOf(hooks)
  const own = appWithoutDelivery(app)
  const { id: appId, privateKey } = own ? readApp(own) : {}
  return {
    ...(appId && { appId, privateKey }),
    ...(!own && token && { githubToken: token }),
  }
}
