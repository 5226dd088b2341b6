import type { Server } from 'node:http'
import type { Polling } from '../github/polling.ts'
import type { Recovery } from '../github/recovery.ts'
import { Hooks } from '../hooks.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { HooksOptions } from '../options.ts'
import { resolveOptions } from '../settings.ts'
import type { FullLogger } from '../telemetry/logger.ts'
import { adminListener } from './admin.ts'
import { type AdminToken, adminTokenOf, readOnlyTokenOf } from './admin-token.ts'
import { openLocalReceiver } from './api/create-delivery.ts'
import { type Config, ConfigError } from './config.ts'
import { Guard } from './guard.ts'
import { openInbox } from './inbox.ts'
import { addressOf, isLoopback, listen } from './listener.ts'
import { Metrics } from './metrics.ts'
import type { HooksModule } from './module.ts'
import { publicListener } from './public.ts'
import { pollingOf } from './pulling.ts'
import { recoveryOf } from './recovering.ts'

/** A server that runs. */
export interface Service extends AdminToken {
  /** Where GitHub delivers; `undefined` where nothing is received. */
  publicUrl: string | undefined
  adminUrl: string
  /** Refuses what comes, waits for what is under way, and lets go of everything. */
  close(): Promise<void>
}

/** What a server is made of. */
export interface ServeOptions {
  config: Config
  /** Without one, everything is stored, and nothing handled. */
  module: HooksModule | undefined
  /** What signs deliveries, where somebody said so outside of the module. */
  secret: string | readonly string[] | undefined
  logger: FullLogger
}

/** @throws {Error} for whatever keeps it from serving, naming the cure. */
export async function serve({ config, module, secret, logger }: ServeOptions): Promise<Service> {
  const options = optionsOf(config, secret, logger)
  const hooks = module?.hooks ?? new Hooks({ ...options, capture: true })
  const host = publicHost(config, options.validateSignature ?? hooks.options.validateSignature ?? true)
  const adminToken = adminTokenOf(config)
  const tokens = { token: adminToken.token, readOnlyToken: readOnlyTokenOf(config, adminToken) }
  const own = config.database.source ? undefined : hooks.options.inbox
  const inbox = own ?? (await openInbox(config, logger))
  const role = config.role.value
  const metrics = new Metrics(inbox, own ? undefined : config.maxSize.value)
  const mounting: HooksOptions = { ...options, inbox, work: false, capture: module === undefined }
  const servers: Server[] = []
  let recovery: Recovery | undefined
  let polling: Polling | undefined
  let publicUrl: string | undefined
  try {
    const guard = new Guard({ tokens, inbox, host: config.adminHost.value, url: config.adminUrl.value })
    polling = pollingOf({ config, hooks, mounting, inbox })
    // One for requests, readiness and metrics; mounted as the adapter of Node.js would.
    const receiver = role === 'worker' || polling ? undefined : hooks.mount(mounting, {})
    const localReceiver = openLocalReceiver(hooks, mounting, polling !== undefined)
    recovery = role === 'receiver' ? undefined : recoveryOf({ config, hooks, mounting, inbox })
    const receivesAt = () => publicUrl
    // Without --admin-url there is no proxy in front of it, and a header that names another client is not believed.
    const proxies = config.adminUrl.value === undefined ? undefined : resolveOptions(hooks.options, mounting)
    const parts = { guard, metrics, inbox, hooks, localReceiver, logger, role, receiver, receivesAt, recovery, proxies }
    const admin = adminListener(parts)
    servers.push(
      await listen(admin, { host: config.adminHost.value, port: config.adminPort.value, flag: 'admin-port' }),
    )
    if (receiver) {
      const listener = publicListener(receiver, metrics)
      const publicServer = await listen(listener, { host, port: config.port.value, flag: 'port' })
      servers.push(publicServer)
      const url = options.url ?? hooks.options.url
      publicUrl = `${addressOf(publicServer)}${typeof url === 'string' ? url : '/hooks'}`
    }
    if (role !== 'receiver') hooks.work(mounting)
    recovery?.start()
    polling?.start()
  } catch (error) {
    await stop(servers, inbox, hooks, 0)
    metrics.close()
    throw error
  }
  const [adminServer] = servers as [Server]
  return {
    publicUrl,
    adminUrl: config.adminUrl.value ?? addressOf(adminServer),
    ...adminToken,
    async close() {
      await Promise.all([recovery?.stop(), polling?.stop()])
      await stop(servers, inbox, hooks, config.grace.value)
      metrics.close()
    },
  }
}

/** No delivery is cut off: connections that are idle go, new ones are refused, the others are answered first. */
async function stop(servers: readonly Server[], inbox: Inbox, hooks: Hooks, grace: number): Promise<void> {
  const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())))
  await hooks.close({ grace })
  await inbox.close()
  for (const server of servers) server.closeAllConnections()
  await Promise.all(closed)
}

/** Only what somebody set: for the rest the module decides. */
function optionsOf(config: Config, secret: ServeOptions['secret'], logger: FullLogger): HooksOptions {
  const { url, validateIp, validateSignature, trustProxy, apiUrl, githubToken, dev } = config
  return {
    logger,
    secret,
    url: url.value,
    validateIp: dev.value ? false : validateIp.value,
    validateSignature: validateSignature.value,
    trustProxy: trustProxy.value,
    apiUrl: apiUrl.value,
    token: githubToken.value,
  }
}

/** @throws {ConfigError} if it would be open to everybody. */
function publicHost({ host, dev, insecure }: Config, signed: boolean): string {
  const loopbackOnly = dev.value || (!signed && !insecure.value)
  if (!loopbackOnly) return host.value
  if (host.source === undefined) return '127.0.0.1'
  if (isLoopback(host.value)) return host.value
  const cure = dev.value ? 'leave out --dev' : 'have signatures checked, or say --insecure'
  throw new ConfigError([`${host.source}: ${host.value} can be reached from outside: ${cure}, or listen on 127.0.0.1`])
}
