import { nearest } from '../../runtime/nearest.ts'
import { variablesOf } from './resolve-config.ts'
import { type SettingName, settings } from './settings.ts'

const prefix = 'HOOKSERVER_'

/** The variables with the prefix that are no settings of a server. */
const others = ['HOOKSERVER_ENV_FILE', 'HOOKSERVER_SERVER', 'HOOKSERVER_SUPERVISED']

/** A variable without an effect, and the one that was probably meant. */
interface UnknownVariable {
  name: string
  meant: string
}

/**
 * Environment variables whose names are similar to those of hookserver. Others with the prefix may belong to another program:
 * Kubernetes sets `HOOKSERVER_SERVICE_HOST` and more for a service named `hookserver`.
 */
export function unknownVariables(env: NodeJS.ProcessEnv = process.env): UnknownVariable[] {
  const known = [...(Object.keys(settings) as SettingName[]).flatMap(variablesOf), ...others]
  const unknown = Object.keys(env).filter((name) => name.startsWith(prefix) && !known.includes(name))
  return unknown.flatMap((name) => {
    const meant = nearest(name, known, 3)
    return meant === undefined ? [] : { name, meant }
  })
}
