/** Probot apps in `hookserver serve`. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Hooks } from '../hooks.ts'
import { optionsOf } from '../internals.ts'
import { exportHooks } from './app-module.ts'
import { probot } from './durable.ts'
import { missingApp, readEnvironment, usedVariables } from './environment.ts'
import { handleOthers, replyNotFound } from './node-middleware.ts'
import { defaultWebhookPath } from './options.ts'
import type { ApplicationFunction, Probot } from './probot.ts'

/** Apps with the `Hooks` that gets their deliveries. */
export interface ServedApps {
  hooks: Hooks
  /** Replies to requests for other paths. */
  others: (request: IncomingMessage, response: ServerResponse) => Promise<void>
}

/**
 * Loads apps for a server.
 * @param apiUrl The address of GitHub's API. Default: that of the variables of Probot, else that of github.com.
 * @throws {Error} (rejects) if an app fails, or if there are no credentials.
 */
export async function loadApps(apps: ApplicationFunction[], apiUrl?: string): Promise<ServedApps> {
  const { appId, privateKey, baseUrl, secret, webhookPath = defaultWebhookPath } = readEnvironment(process.env)
  const hooks = new Hooks({
    // `serve --dev` sets GITHUB_WEBHOOKS_KEY to a random secret if it knows none.
    secret: process.env.WEBHOOK_SECRET || secret,
    path: webhookPath,
    apiUrl: apiUrl ?? baseUrl,
    ...(appId && privateKey ? { app: { id: appId, privateKey } } : {}),
  })
  if (!appId && !optionsOf(hooks).token) {
    throw new Error(`${missingApp(process.env)}. ${exportHooks}`)
  }
  const app = await probot(hooks, apps, { logLevel: undefined }) // the server has a level
  for (const [variable, flag] of Object.entries({ LOG_LEVEL: '--log-level', HOST: '--host' })) {
    const own = `HOOKSERVER_${variable}`
    if (process.env[variable] && !process.env[own]) {
      app.log.warn(`${variable} has no effect: use ${flag} or ${own}`)
    }
  }
  const variables = usedVariables(process.env)
  if (variables.length > 0) app.log.info({ variables }, 'Environment variables of Probot read')
  return { hooks, others: (...given) => replyToOther(app, ...given) }
}

async function replyToOther(app: Probot, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    if (!(await handleOthers(app.handlers, request, response))) replyNotFound(app, request, response)
  } catch (err) {
    app.log.error({ err }, 'A request handler of the app failed')
    if (!response.headersSent) response.writeHead(500)
    response.end()
  }
}
