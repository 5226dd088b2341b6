import type { Hook } from '../../handler.ts'
import { Hooks } from '../../hooks.ts'
import type { MountOptions } from '../../options.ts'
import { keepDigits } from '../../runtime/json.ts'

/** The secret of all mounts except `rotation` and `unresolved`. */
export const contractSecret = "It's a Secret to Everybody"
/** The secrets of the mount `rotation`, oldest first. */
export const rotatedSecrets = ['the old secret', 'the new secret'] as const

/** One `hookserver(hooks, options)` that an application under test must mount. */
export interface ContractMount {
  /** Unique in the case. */
  id: string
  /** The `Hooks` to mount with the adapter. */
  hooks: Hooks
  /** The options of the mount, with the path that the host must serve. */
  options: MountOptions & { path: string }
  /** True if the application's body parser must read the body before hookserver receives the request. */
  consumed: boolean
}

/**
 * The mounts of an application under test, each at its own path and all in one application. Nothing in here needs
 * Node.js, so that applications in other runtimes can use it too.
 * @param options Options for every mount: `clientAddress`, on platforms that provide no address.
 */
export function contractMounts(options: Pick<MountOptions, 'clientAddress'> = {}): ContractMount[] {
  const mount = (id: string, more: MountOptions, hooks: Hooks = contractHooks()): ContractMount => ({
    id,
    hooks,
    options: { validateIp: false, ...options, ...more, path: `/contract/${id}` },
    consumed: id === 'consumed',
  })
  const outside = ['192.0.2.0/24', '2001:db8::/32']
  return [
    mount('plain', {}),
    mount('rotation', { secret: rotatedSecrets }),
    mount('sha256', { signatureAlgorithms: ['sha256'] }),
    mount('unsigned', { validateSignature: false }),
    mount('small', { bodyLimit: 1000 }),
    mount('impatient', { replyTimeout: 300 }),
    mount('inside', { validateIp: true, ranges: ['127.0.0.0/8', '::1'] }),
    mount('outside', { validateIp: true, ranges: outside }),
    mount('warned', { validateIp: 'warn', ranges: outside }),
    mount('proxied', { validateIp: true, ranges: outside, trustProxy: 'loopback' }),
    mount('unresolved', { secret: () => undefined }),
    mount('consumed', {}),
    mount('echo', {}, echoHooks()),
    mount('bare', {}, bareHooks()),
    mount('exact', {}, exactHooks()),
  ]
}

/**
 * Hooks of different kinds. Two reply with a text, one replies with a `Response`, two fail, one never ends, and one
 * ends only when its signal aborts. The hook `*` replies with its arguments.
 */
function contractHooks(): Hooks {
  const hooks = new Hooks({ secret: contractSecret, logger: false })
  hooks.hook('ping', () => 'pong')
  hooks.hook('create', () => 'créé 🚀\u2028')
  hooks.hook('fork', () => {
    throw new Error('a text that no sender may see')
  })
  hooks.hook('gollum', () => Promise.reject(null))
  hooks.hook('public', () => new Promise(() => {}))
  hooks.hook(
    'page_build',
    (_data, _guid, { signal }) => new Promise((resolve) => signal.addEventListener('abort', resolve)),
  )
  hooks.hook('star', () => answered())
  hooks.hook('team_add', async (_data, _guid, delivery) => sha256(await delivery.body()))
  hooks.hook('*', echo)
  return hooks
}

/** Hooks without `*`, so that most events have no handler. They reply without a body, or with `Response.error()`. */
function bareHooks(): Hooks {
  const hooks = new Hooks({ secret: contractSecret, logger: false })
  hooks.hook('delete', () => undefined)
  hooks.hook('member', () => new Response(null, { status: 201, headers: { 'content-type': 'application/json' } }))
  hooks.hook('status', () => Response.error())
  return hooks
}

/** One hook, for all events, that replies with its arguments. */
function echoHooks(): Hooks {
  const hooks = new Hooks({ secret: contractSecret, logger: false })
  hooks.hook('*', echo)
  return hooks
}

/** One hook, for all events, that replies with two ids of its payload. */
function exactHooks(): Hooks {
  const parsePayload = (json: string) => JSON.parse(json, keepDigits)
  const hooks = new Hooks({ secret: contractSecret, logger: false, parsePayload })
  hooks.hook('*', (data, _guid, { installationId }) => `${(data as { id?: unknown }).id} ${installationId}`)
  return hooks
}

const echo: Hook<'*'> = async (data, guid, delivery) => {
  const { event, action, repository, sender, hookId, secretIndex, source } = delivery
  return {
    guid,
    event,
    action,
    repository,
    sender,
    hookId,
    secretIndex,
    source,
    sha256: await sha256(new TextEncoder().encode(JSON.stringify(data))),
  }
}

function answered(): Response {
  const headers = new Headers({ 'content-type': 'text/x-star', 'x-seen': 'yes' })
  headers.append('set-cookie', 'a=1')
  headers.append('set-cookie', 'b=2')
  return new Response('a star ⭐', { status: 201, headers })
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
