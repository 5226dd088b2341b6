/** How a `Probot` gets its deliveries from a `Hooks`. */
import type { Delivery } from '../delivery.ts'
import { type Handler, inboxOptionsOf, inboxOptionsWarning } from '../handler.ts'
import { Hooks } from '../hooks.ts'
import { optionsOf } from '../internals.ts'
import { isApiUrl } from '../settings.ts'
import { isDiscard } from '../thrown.ts'
import type { AttemptScope, Context, WebhookEvent } from './context.ts'
import { createLog, type Logger } from './log.ts'
import type { Options } from './options.ts'
import type { Listener, ProbotWebhooks } from './webhooks.ts'

/** The part of a `Probot` that this file uses. */
interface App {
  log: Logger
  webhooks: ProbotWebhooks
  webhookPath: string
  contextOf(event: WebhookEvent, attempt: AttemptScope): Promise<Context>
}

/**
 * The `Hooks` of an app without one. It does not check the origin of requests, as Probot does not: apps often run behind
 * proxies, whose addresses hookserver would have to know.
 */
export function createHooks(probot: App, options: Options): Hooks {
  const { inbox, secret, githubToken, baseUrl, appId = options.id, privateKey = options.cert } = options
  const app = appId && privateKey ? { id: appId, privateKey } : undefined
  const hooks = new Hooks({
    ...{ secret: secret || undefined, inbox, path: probot.webhookPath, validateIp: false, logger: probot.log },
    // For the option `paths` of a handler. The Octokits of the app have its own options, and may use an API without TLS.
    ...((!baseUrl || isApiUrl(baseUrl)) && { apiUrl: baseUrl, token: githubToken, app }),
  })
  if (optionsOf(hooks).secret === undefined) {
    // Probot would use the secret `development`, which is public.
    throw new TypeError('The option "secret" is missing: set GITHUB_WEBHOOKS_KEY or WEBHOOK_SECRET, or pass the secret')
  }
  if (inbox) {
    attach(probot, hooks)
    return hooks
  }
  hooks.hook('*', async (payload, id, delivery) => {
    await probot.webhooks.run({ id, name: delivery.event, payload }, delivery).catch(throwFailures)
    return 'ok\n' // the reply of Probot
  })
  probot.webhooks.observe({
    added({ options }) {
      const without = inboxOptionsOf(options)
      if (without.length > 0) probot.log.warn(inboxOptionsWarning(options.name, without))
    },
    removed() {},
  })
  return hooks
}

/**
 * Throws the errors of a delivery. A `Discard` is no failure, because the other handlers have run. An only error is thrown
 * itself: hookserver knows `Retry`, and its log is easier to read.
 */
function throwFailures(error: AggregateError): void {
  const failures: unknown[] = error.errors.filter((one) => !isDiscard(one))
  if (failures.length > 0) throw failures.length === 1 ? failures[0] : error
}

function numberWarning({ names, options, isInstalled }: Listener): string {
  const cure = isInstalled
    ? 'an update of the package may change: let all its deliveries end before you update it'
    : `a deploy may change: write app.on('${names[0]}', { name: '…' }, handler)`
  return `The name ${options.name} depends on the order of the handlers, which ${cure}`
}

/** Registers the handlers of an app, including those that it adds later, each as a handler of its own. */
export function attach(app: App, hooks: Hooks): void {
  const handlers = new Map<Listener, Handler>()
  app.webhooks.observe({
    added(listener) {
      if (listener.isNumbered) app.log.warn(numberWarning(listener))
      const handler = (delivery: Delivery) => handle(app, listener, delivery)
      hooks.on(listener.names, listener.options, handler)
      handlers.set(listener, handler)
    },
    removed(listener, names) {
      for (const name of names) hooks.off(name, handlers.get(listener) as Handler)
      if (listener.names.length === 0) handlers.delete(listener)
    },
  })
}

/** Returns nothing, because an inbox would store it: handlers often return a response of GitHub. */
async function handle(app: App, { handler }: Listener, delivery: Delivery): Promise<void> {
  const { guid: id, event: name, payload, log, signal, installationId } = delivery
  const event = { id, name, payload }
  try {
    await handler(await app.contextOf(event, { log: createLog(log, app.log.level), signal, installationId }))
  } catch (error) {
    app.webhooks.reportErrors([error], event)
    throw error
  }
}
