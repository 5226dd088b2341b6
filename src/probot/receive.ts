/** How a `Probot` gets its deliveries from a `Hooks`. */
import type { Delivery } from '../delivery.ts'
import type { Handler } from '../handler.ts'
import { Hooks } from '../hooks.ts'
import { optionsOf } from '../internals.ts'
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
export function createHooks(app: App, { inbox, secret }: Options): Hooks {
  const options = { secret: secret || undefined, inbox, path: app.webhookPath, validateIp: false, logger: app.log }
  const hooks = new Hooks(options)
  if (optionsOf(hooks).secret === undefined) {
    // Probot would use the secret `development`, which is public.
    throw new TypeError('The option "secret" is missing: set GITHUB_WEBHOOKS_KEY or WEBHOOK_SECRET, or pass the secret')
  }
  if (inbox) {
    attach(app, hooks)
    return hooks
  }
  hooks.hook('*', async (payload, id, { event: name }) => {
    await app.webhooks.run({ id, name, payload }).catch(throwOnlyError)
    return 'ok\n' // the reply of Probot
  })
  return hooks
}

/** Throws the only error of a delivery itself: hookserver knows `Retry` and `Discard`, and its log is easier to read. */
function throwOnlyError(error: AggregateError): never {
  throw error.errors.length === 1 ? error.errors[0] : error
}

/** Registers the handlers of an app, including those that it adds later, each as a handler of its own. */
export function attach(app: App, hooks: Hooks): void {
  const handlers = new Map<Listener, Handler>()
  app.webhooks.observe({
    added(listener) {
      const handler = (delivery: Delivery) => handle(app, listener, delivery)
      hooks.on(listener.names, listener.options, handler)
      handlers.set(listener, handler)
    },
    removed(listener) {
      for (const name of listener.names) hooks.off(name, handlers.get(listener) as Handler)
      handlers.delete(listener)
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
