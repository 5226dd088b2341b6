import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { RequestListener, Server } from 'node:http'
import { Server as NetServer } from 'node:net'
import { resolve } from 'node:path'
import { leaveUnread, pathOf } from '../adapters/incoming.ts'
import { mounted } from '../adapters/mount.ts'
import { hookserver } from '../adapters/node.ts'
import { Hooks } from '../hooks.ts'
import type { Receiver } from '../http.ts'
import { operatorSource } from '../inbox/records.ts'
import { closeTimeout } from '../inbox/worker/worker-host.ts'
import { optionsOf, overrideOptions } from '../internals.ts'
import type { HooksOptions } from '../options.ts'
import { within } from '../runtime/timer.ts'
import { resolveOptions } from '../settings.ts'
import type { FullLogger } from '../telemetry/logger.ts'
import { adminListener } from './admin-listener.ts'
import { openLocalReceiver } from './api/create-delivery.ts'
import { Guard } from './auth/guard.ts'
import { type AdminToken, adminTokenOf, readOnlyTokenOf } from './config/admin-tokens.ts'
import { checkPorts, publicHost } from './config/conflicts.ts'
import type { HooksModule } from './config/hooks-module.ts'
import type { Config } from './config/resolve-config.ts'
import { checksSignatures, hooksOptions, moduleInbox, receivesDeliveries } from './config/server-options.ts'
import { devGrace } from './config/settings.ts'
import { logCutOffAttempts } from './cut-off-attempts.ts'
import { checkWebhookChoice, githubAccess, openGitHubStatus, openPolling, openRecovery } from './github.ts'
import { addressOf, boundAddress, listen } from './listener.ts'
import { logMaintenanceFailures } from './maintenance-failures.ts'
import { Metrics } from './metrics/metrics.ts'
import { logOldTransactions } from './old-transaction.ts'
import { onEvent } from './on-event.ts'
import { type OpenedInbox, openInbox } from './open-inbox.ts'
import { OpenReplies } from './open-replies.ts'
import { RateLimits } from './rate-limits.ts'

/** Maximum milliseconds that the start waits for the first look for attempts that were cut off. */
const maxFirstCheck = 1000

/** The maximum number of open connections of the admin listener: for 200 streams of the dashboard, scrapes and scripts. */
const maxAdminConnections = 1000

export interface Service extends AdminToken {
  /** The URL of the receiver on this machine. `undefined` if this process receives nothing. */
  publicUrl: string | undefined
  /** The address that the receiver listens on: `0.0.0.0:8000`. */
  publicAddress: string | undefined
  adminUrl: string
  /** Rejects new requests, answers open ones, waits for running handlers (setting `grace`), and closes everything. */
  close(): Promise<void>
}

interface ServeOptions {
  config: Config
  /** Without a module, deliveries are stored but not handled. */
  module: HooksModule | undefined
  /** The secret of the webhook, if it is set outside of the module. */
  secret: HooksOptions['secret']
  logger: FullLogger
}

/**
 * Starts a server: opens its parts, listens, then starts to work. `close()` closes the parts in reverse order. If a
 * step fails, the parts that are already open are closed in the same way.
 *
 * The promise resolves when the server answers requests. `/readyz` of the admin listener says whether the server can
 * also store deliveries, and `notifyReady` tells systemd that the server has started.
 * @throws {Error} that says what to do.
 */
export async function serve({ config, module, secret, logger }: ServeOptions): Promise<Service> {
  const hooks = module?.hooks ?? new Hooks({ withoutHandlers: 'ignore' })
  overrideOptions(hooks, { ...hooksOptions(config), logger, secret, work: false })
  checkSecret(config, optionsOf(hooks))
  const host = publicHost(config, checksSignatures(config, optionsOf(hooks))) // may throw, so before the inbox is open
  if (receivesDeliveries(config)) checkPorts(config, host)
  const role = config.role.value

  const ownInbox = moduleInbox(config, hooks)
  const opened: OpenedInbox = ownInbox
    ? { inbox: ownInbox, untilAvailable: undefined }
    : await openInbox(config, logger)
  const { inbox, untilAvailable } = opened
  const { sources } = optionsOf(hooks)
  // The server also handles the deliveries that operators create.
  overrideOptions(hooks, { inbox, sources: sources && [...sources, operatorSource] })
  const settings = resolveOptions(optionsOf(hooks))
  const closing: Cleanup[] = []
  try {
    // 1. Open. Nothing can reach the server yet.
    const adminToken = adminTokenOf(config)
    const tokens = { token: adminToken.token, readOnlyToken: readOnlyTokenOf(config, adminToken) }
    const github = githubAccess({ config, settings })
    const { adminHost, adminUrl: url } = config
    const guard = new Guard({ tokens, inbox, host: adminHost.value, url: url.value, github, logger })
    const metrics = new Metrics(inbox, ownInbox ? undefined : config.maxSize.value)
    closing.push(() => metrics.close())
    const rateLimits = new RateLimits()
    closing.push(() => rateLimits.close())
    closing.push(logSuccesses(logger, config.quiet.value ? 'debug' : 'info'))
    closing.push(logOldTransactions(inbox, logger), logMaintenanceFailures(inbox, logger))
    const cutOffAttempts = logCutOffAttempts(inbox, logger)
    closing.push(cutOffAttempts.stop)
    // Before the worker cuts off the attempts of a process of this machine that has died.
    if (!untilAvailable) await within(maxFirstCheck, cutOffAttempts.started)
    const servers: Server[] = []
    const replies = new OpenReplies()
    closing.push((grace) => closeServers(servers, replies, () => hooks.close({ grace: `${grace}ms` })))
    const polling = openPolling({ config, settings, inbox })
    const recovery = openRecovery({ config, settings, inbox }, hooks.registrations)
    closing.push(() => within(closeTimeout, Promise.all([recovery?.stop(), polling?.stop()])))
    await checkWebhookChoice({ config, settings })
    // The public listener, the readiness check and the metrics share this receiver. It has the traits of
    // `hookserver/node`, so that a `clientAddress` of another adapter is an error now, and not of each delivery.
    const receiver = receivesDeliveries(config) ? hooks.mount({}, {}) : undefined
    const localReceiver = openLocalReceiver(hooks, polling !== undefined)

    // 2. Listen. The admin listener is last, because it shows the URL of the public one.
    let publicUrl: string | undefined
    let publicAddress: string | undefined
    if (receiver) {
      const publicServer = await listen(replies.track(publicListener(receiver, metrics, module?.others)), {
        host,
        port: config.port.value,
        flag: 'port',
        replyTimeout: settings.replyTimeout,
      })
      servers.push(publicServer)
      publicAddress = boundAddress(publicServer)
      publicUrl = `${addressOf(publicServer)}${receiver.path || '/hooks'}`
    }
    const admin = adminListener({
      guard,
      metrics,
      inbox,
      hooks,
      localReceiver,
      logger,
      role,
      receiver,
      recovery,
      polling,
      gitHubStatus: openGitHubStatus({ config, settings }, module),
      rateLimits,
      publicUrl,
      webhookUrl: config.publicUrl.value,
      dev: config.dev.value,
      // Without --admin-url there is no proxy, so the admin listener ignores headers that name another client.
      proxies: config.adminUrl.value === undefined ? undefined : settings,
    })
    const adminServer = await listen(replies.track(admin), {
      host: config.adminHost.value,
      port: config.adminPort.value,
      flag: 'admin-port',
      maxConnections: maxAdminConnections,
    })
    servers.push(adminServer)

    // 3. Work: run handlers, and ask GitHub for deliveries.
    const work = () => {
      if (role !== 'receiver') hooks.work()
      recovery?.start()
      polling?.start()
    }
    if (untilAvailable) {
      const waiting = new AbortController()
      closing.push(() => waiting.abort())
      void untilAvailable(waiting.signal).then(() => waiting.signal.aborted || work())
    } else work()

    const adminUrl = config.adminUrl.value ?? addressOf(adminServer)
    return { publicUrl, publicAddress, adminUrl, ...adminToken, close: () => closeAll(closing, graceOf(config)) }
  } catch (error) {
    await closeAll(closing, 0)
    await within(closeTimeout, inbox.close()) // `hooks.close()` closes an inbox only after a mount
    throw error
  }
}

/** @throws {Error} if there is no secret to verify signatures with. `Hooks` would name an option instead of a flag. */
function checkSecret(config: Config, options: HooksOptions): void {
  if (options.secret !== undefined || !receivesDeliveries(config) || !checksSignatures(config, options)) return
  const similarNames = /^(?!GITHUB_WEBHOOKS_KEY$)(GITHUB_)?WEBHOOKS?_(KEY|SECRET)$/
  const similar = Object.keys(process.env).find((name) => similarNames.test(name))
  const cure = similar
    ? `${similar} has no effect, so rename it to GITHUB_WEBHOOKS_KEY`
    : `set GITHUB_WEBHOOKS_KEY (for example in ${resolve('.env')}), pass --secret-file, or use --dev, which generates one`
  throw new Error(`No secret: ${cure}`)
}

/** @param grace Milliseconds that running handlers have before their signal aborts. */
type Cleanup = (grace: number) => unknown

const graceOf = ({ dev, grace }: Config): number => (dev.value && grace.source === undefined ? devGrace : grace.value)

/** Closes in reverse order, like AsyncDisposableStack, which Node.js 22 does not have. */
async function closeAll(closing: readonly Cleanup[], grace: number): Promise<void> {
  for (const close of closing.toReversed()) await close(grace)
}

/** Maximum milliseconds until the last replies are sent, after the hooks are closed. */
const replyTimeout = 500

/**
 * Stops accepting connections. Then waits until `closeHooks` has answered the open requests, and closed the inbox, or
 * abandoned one that does not respond. Then closes all connections.
 *
 * `Server.close()` would close idle connections at once, while a client may be sending its next request. These
 * connections stay open until the hooks are closed, so that the client gets a reply.
 */
async function closeServers(
  servers: readonly Server[],
  replies: OpenReplies,
  closeHooks: () => Promise<void>,
): Promise<void> {
  replies.closeConnections()
  const closed = servers.map((server) => new Promise((resolve) => NetServer.prototype.close.call(server, resolve)))
  await closeHooks()
  await within(replyTimeout, replies.sent())
  for (const server of servers) {
    server.close() // also ends the timer that checks the connections
    server.closeAllConnections()
  }
  await Promise.all(closed)
}

/** Logs each successful attempt. The worker logs failed ones itself. @returns A function that stops the logging. */
const logSuccesses = (logger: FullLogger, level: 'debug' | 'info'): (() => void) =>
  onEvent('attempt', ({ outcome, id, event, action, guid, handler, duration }) => {
    if (outcome === 'succeeded') logger[level]({ id, event, action, guid, handler, duration }, 'Handler succeeded')
  })

/** Serves GitHub: deliveries, and a health check. Passes requests for other paths to `others`. */
function publicListener(receiver: Receiver, metrics: Metrics, others: HooksModule['others']): RequestListener {
  const receive = hookserver(mounted(receiver))
  return (request, response) => {
    if (['GET', 'HEAD'].includes(request.method ?? '') && pathOf(request.url) === '/healthz') {
      leaveUnread(request, response)
      response.writeHead(200, { 'content-type': 'text/plain' }).end('ok')
      return
    }
    const startedAt = performance.now()
    response.once('close', () => {
      const status = response.headersSent ? response.statusCode : 'aborted' // the sender disconnected first
      metrics.replied(status, performance.now() - startedAt)
    })
    void receive(request, response, others && (() => void others(request, response)))
  }
}

/** Tells systemd that the service is ready (`Type=notify`, `NotifyAccess=all`): sd_notify(3). */
export async function notifyReady(): Promise<void> {
  if (!process.env.NOTIFY_SOCKET) return
  const child = spawn('systemd-notify', ['--ready', `--pid=${process.pid}`], { stdio: 'inherit' })
  await once(child, 'exit').catch(() => undefined) // if the program is missing, systemd reports a timeout
}
