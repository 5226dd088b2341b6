/** Checks of the `.env` file, and of invalid or conflicting settings, with which `serve` would not start. */
import { statSync } from 'node:fs'
import type { Store } from '../../inbox/inbox.ts'
import { checkHooks, optionsOf } from '../../internals.ts'
import { type Finding, failed, fine, warning } from '../../runtime/finding.ts'
import { checkAdminTokens } from '../../server/config/admin-tokens.ts'
import { checkDatabase, checkPull } from '../../server/config/conflicts.ts'
import type { EnvFile } from '../../server/config/env-file.ts'
import type { Config } from '../../server/config/resolve-config.ts'
import { findAccess, othersAccess } from '../../server/config/secret-files.ts'
import { hooksOptions, receivesDeliveries, recoverTargets } from '../../server/config/server-options.ts'
import { unknownVariables } from '../../server/config/unknown-variables.ts'
import { checkCredentials, githubAccess } from '../../server/github.ts'
import { resolveOptions, type Settings } from '../../settings.ts'

/** The names of the variables in the `.env` file, and whether other users can read their values. */
export function* checkEnvFile({ path, variables, overridden }: EnvFile): Generator<Finding> {
  const what = 'env file'
  const names = variables.length > 0 ? variables.join(', ') : 'no variable'
  const kept = overridden.length > 0 ? `. The environment overrides ${overridden.join(', ')}` : ''
  yield fine(what, `${path} sets ${names}${kept}`)
  const problem = findAccess(path, statSync(path), process.geteuid?.(), othersAccess)
  if (problem) yield warning(what, problem.found, problem.cure)
}

/** Variables whose names are similar to those of settings. */
export const checkVariables = (): Finding[] =>
  unknownVariables().map(({ name, meant }) => {
    return warning('settings', `the environment variable ${name} has no effect`, `if you mean ${meant}, rename it`)
  })

/** A finding for each problem. */
export const invalidSettings = ({ message }: Error): Finding[] =>
  message.split('\n').map((problem) => failed('settings', problem))

/**
 * @param hooks The `Hooks` of the module, if there is one.
 * @param ownInbox The inbox of the module, if the server uses it.
 * @returns The options that the server would use, or `undefined` if they are invalid.
 */
export function* checkSettings(
  config: Config,
  hooks: object | undefined,
  ownInbox: Store | undefined,
): Generator<Finding, Settings | undefined> {
  const { recover, pull, role } = config
  const roles = { receives: receivesDeliveries(config), works: role.value !== 'receiver' }
  let settings: Settings | undefined
  const checks = [
    () => {
      settings = resolveOptions(hooks ? optionsOf(hooks) : {}, hooksOptions(config))
    },
    () => hooks && settings && checkHooks(hooks, settings, roles),
    () => (ownInbox ? undefined : checkDatabase(config)),
    () => checkPull(config),
    () => settings && checkCredentials(pull, settings),
    () => settings && recoverTargets(config) && checkCredentials(recover, settings),
    () => checkAdminTokens(config),
    () => settings && githubAccess({ config, settings }),
  ]
  for (const check of checks) {
    try {
      check()
    } catch (error) {
      yield* invalidSettings(error as Error)
    }
  }
  return settings
}
