/** The second half of `app create`: the installation, and the first delivery that a handler handles. */
import { type InstallationDetails, readInstallations } from '../../github/app/details.ts'
import { formatNeeded, isGranted } from '../../github/app/permission-levels.ts'
import type { Permissions } from '../../github/event-permissions.ts'
import type { RequestError, Requester } from '../../github/requester.ts'
import { formatDuration } from '../../runtime/format.ts'
import { isObject, textIn } from '../../runtime/json.ts'
import { sleep } from '../../runtime/timer.ts'
import { loadWithConfig } from '../../server/config/hooks-module.ts'
import { onEvent } from '../../server/on-event.ts'
import { setDefaultLogger } from '../../telemetry/logger.ts'
import { type ConfigFlags, configFromFlags } from '../flags.ts'
import { printable, printProgress } from '../output.ts'

/** Milliseconds between two requests for the installations. Each request counts against the rate limit of the App. */
const installationInterval = 2000

/** Waits until an account has installed the App. @throws the reason of the signal. */
export async function waitForInstallation(requester: Requester, signal: AbortSignal): Promise<InstallationDetails> {
  for (;;) {
    const [installation] = await readInstallations(requester)
    if (installation) return installation
    await sleep(installationInterval, signal, { keepAlive: true })
    signal.throwIfAborted()
  }
}

/** A server in this process that pulls the App's deliveries. */
interface PullingServer {
  /** Resolves when a handler has succeeded, and rejects when a delivery has ended `dead`. */
  handled: Promise<void>
  close(): Promise<void>
}

/**
 * Starts the server in this process, as `serve --pull app` does. The environment has the variables of the App by now.
 * @param permissions Those that the command asked for.
 * @param json Whether stdout is for JSON only.
 * @throws {Error} that says what to do.
 */
export async function startPulling(
  path: string,
  flags: ConfigFlags,
  permissions: Permissions,
  json: boolean | undefined,
): Promise<PullingServer> {
  const [{ serve }, { createLogger }] = await Promise.all([
    import('../../server/serve.ts'),
    import('../../server/logging.ts'),
  ])
  const given: ConfigFlags = {
    ...{ pull: 'app', role: 'all', adminPort: '0', logLevel: 'warn' },
    // Short, because a poll without new deliveries does not count against the rate limit.
    pullEvery: process.env.HOOKSERVER_PULL_EVERY ?? '2s',
    ...flags,
  }
  const logger = await createLogger({ level: configFromFlags(given).logLevel.value })
  setDefaultLogger(logger) // for the `new Hooks()` of the module
  const { module, config, secret } = await loadWithConfig(path, (loaded) => configFromFlags(given, { module: loaded }))
  const first = firstDelivery(permissions, json)
  try {
    const service = await serve({ config, module, secret: secret?.value, logger })
    const close = () => {
      first.unsubscribe() // at the end of the command, which may not have waited for the delivery
      return service.close()
    }
    return { handled: first.handled, close }
  } catch (error) {
    first.unsubscribe()
    throw error
  }
}

function firstDelivery(
  permissions: Permissions,
  json: boolean | undefined,
): { handled: Promise<void>; unsubscribe: () => void } {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  promise.catch(() => {}) // prevents an unhandled rejection while the command still waits for the installation
  let isFirst = true
  const stopAttempts = onEvent('attempt', ({ outcome, handler, event, guid, duration, error }) => {
    if (outcome === 'succeeded') {
      const text = `${handler} handled ${event} (GUID ${guid}) in ${formatDuration(duration)}`
      void printProgress([printable(text)], json).then(() => resolve())
    } else if (error !== undefined) {
      const hints = deniedAccess(error, permissions) // the log shows the error itself
      for (const line of isFirst ? [...hints, nextAttempt] : hints) console.error(`hookserver: ${printable(line)}`)
      isFirst = false
    }
  })
  const stopDead = onEvent('dead', ({ event, guid }) => {
    reject(new Error(`No handler succeeded for ${event} (GUID ${guid}): fix the handler, then retry the delivery`))
  })
  const unsubscribe = () => {
    stopAttempts()
    stopDead()
  }
  return { handled: promise, unsubscribe }
}

const nextAttempt =
  'The handler will be tried again. To change its code first, press Ctrl-C, edit the code, and start the server. ' +
  'The server then tries the handler again'

/**
 * What to do about a request that GitHub denied to the App. If the command has asked for the permission that the request
 * needs, the installation may lack the repository.
 */
export function deniedAccess(error: unknown, permissions: Permissions): string[] {
  const { status, response, request } = (isObject(error) ? error : {}) as Partial<Denied>
  const needed = isObject(response?.headers) && textIn(response.headers, 'x-accepted-github-permissions')
  if ((status !== 403 && status !== 404) || !needed) return []
  if (isGranted(needed, permissions)) {
    const [, name = 'the repository'] = /\/repos\/([^/]+\/[^/?]+)/.exec(request?.url ?? '') ?? []
    return [
      `The command asked for the permission ${formatNeeded(needed)}, so the installation may lack ${name}: ` +
        'see Repository access on the page of the installation. "npx hookserver app diff" shows missing permissions',
    ]
  }
  if (status === 404) return []
  const page = 'the page that "npx hookserver app diff --open" opens'
  return [
    `The App may lack the permission ${formatNeeded(needed)}: declare it in config.permissions, then add it on ${page}`,
  ]
}

interface Denied extends RequestError {
  request?: { url?: string }
}
