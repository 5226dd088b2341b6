import { HookError } from '../errors.ts'
import { type HookRequest, headerOf } from '../http.ts'
import type { ClientAddressFunction } from '../options.ts'
import { AddressSet } from '../runtime/cidr.ts'
import { proxyRanges, type Settings } from '../settings.ts'

/** The members of a request that identify its client. */
type AddressedRequest = Pick<HookRequest, 'headers' | 'header' | 'address' | 'frameworkAddress' | 'native'>

/**
 * Finds the address of a request's client; `undefined` if the platform does not provide it.
 * @throws {HookError} `address_unknown` if a function of the user or of the platform throws, or if the user's function
 *   returns no address.
 */
export type AddressReader = (request: AddressedRequest) => string | undefined

/**
 * The reader for the options of a mount. It starts with the address from `clientAddress`, by default that of the
 * connection. If this is the address of a trusted proxy, the reader takes the address that the proxy reported instead.
 * It repeats this step until it finds an address that is not of a trusted proxy, or until no reported address is left.
 * If `trustProxy` is a number, this many addresses count as those of trusted proxies. The reported addresses are read
 * from right to left.
 */
export function createAddressReader(
  settings: Pick<Settings, 'clientAddress' | 'trustProxy' | 'forwardedHeader'>,
): AddressReader {
  const peer = peerReader(settings)
  const isTrusted = createTrust(settings.trustProxy)
  if (!isTrusted) return peer
  return (request) => {
    const nearest = peer(request)
    if (nearest === undefined) return undefined
    const reported = headerOf(request, settings.forwardedHeader)
    const chain = reported === undefined ? [] : forwardedAddresses(settings.forwardedHeader, reported)
    let client = nearest
    for (let hop = 0; chain.length > 0 && isTrusted(client, hop); hop++) client = chain.pop() as string
    return client
  }
}

/**
 * Checks that the adapter can find the address of a client in the way that the options say.
 * @param traits The capabilities of the adapter; missing without an adapter.
 * @throws {TypeError} if the adapter cannot find the address in this way.
 */
export function checkClientAddress(
  { validateIp, clientAddress }: Pick<Settings, 'validateIp' | 'clientAddress'>,
  traits: { knowsAddress?: boolean; clientAddresses?: readonly string[] } | undefined,
): void {
  if (!traits || validateIp === false) return
  const { knowsAddress = true, clientAddresses = ['cloudflare'] } = traits
  if (!knowsAddress && validateIp === true && !clientAddress) {
    throw new TypeError(
      'This platform does not show the address of the client: give the option "clientAddress" ' +
        "('cloudflare', 'deno', 'bun' or a function), or set \"validateIp\" to 'warn' or false",
    )
  }
  if (typeof clientAddress === 'string' && !clientAddresses.includes(clientAddress)) {
    const known = clientAddresses.map((name) => `'${name}'`).join(', ')
    throw new TypeError(
      `With this adapter, the option "clientAddress" must be a function or one of ${known}, got '${clientAddress}'`,
    )
  }
}

type Trust = (address: string, hop: number) => boolean

function createTrust(option: readonly string[] | number): Trust | undefined {
  if (typeof option === 'number') return option > 0 ? (_, hop) => hop < option : undefined
  if (option.length === 0) return undefined
  const proxies = new AddressSet(proxyRanges(option))
  const unix = option.includes('unix')
  return (address) => (address === 'unix' ? unix : proxies.has(address))
}

function peerReader({ clientAddress }: Pick<Settings, 'clientAddress'>): AddressReader {
  if (typeof clientAddress === 'function') return ({ native }) => givenAddress(clientAddress, native)
  if (clientAddress === 'framework') return (request) => request.frameworkAddress
  if (clientAddress === 'cloudflare') return (request) => headerOf(request, 'cf-connecting-ip')
  if (clientAddress === 'deno') return (request) => denoAddress(request.native)
  if (clientAddress === 'bun') return ({ native }) => call('requestIP()', () => bunAddress(native))
  return (request) => request.address
}

/** The address from the user's function. @throws {HookError} `address_unknown` if it throws or returns no address. */
function givenAddress(clientAddress: ClientAddressFunction, native: HookRequest['native']): string {
  const returned: unknown = call('your clientAddress function', () => clientAddress(...native))
  const address = textOrNone(returned)
  if (address !== undefined) return address
  throw new HookError('address_unknown', { cause: `your clientAddress function returned ${kindOf(returned)}` })
}

/** Calls a function of the user or the platform. @throws {HookError} `address_unknown` if it throws. */
function call<T>(name: string, reader: () => T): T {
  try {
    return reader()
  } catch (cause) {
    const reason = cause instanceof Error ? `: ${cause.message}` : ''
    throw new HookError('address_unknown', { cause: new Error(`${name} threw an error${reason}`, { cause }) })
  }
}

function kindOf(value: unknown): string {
  if (value instanceof Promise) return 'a promise, but it must return the address itself'
  if (value === '') return 'an empty string'
  return value === undefined || value === null ? String(value) : `a value of type ${typeof value}`
}

/** Why a request has no address, for the log. If `clientAddress` is a function, its errors give the reason instead. */
export function explainUnknownAddress(clientAddress: Settings['clientAddress']): string {
  const option = `clientAddress is '${String(clientAddress)}'`
  switch (clientAddress) {
    case 'framework':
      return `${option}, but the request of the framework has no "ip"`
    case 'cloudflare':
      return `${option}, but the request has no header CF-Connecting-IP: Cloudflare did not forward the request`
    case 'deno':
      return (
        `${option}, but the handler's second argument has no remoteAddr.hostname: ` +
        'pass on the second argument that your function gets from Deno.serve'
      )
    case 'bun':
      return `${option}, but the handler's second argument is not Bun's server, or requestIP() found no address`
    default:
      return 'the platform does not provide it: set the option clientAddress, or set validateIp to false'
  }
}

function textOrNone(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** `Deno.serve` calls its handler with `(request, { remoteAddr })`. */
function denoAddress([, info]: readonly unknown[]): string | undefined {
  return textOrNone((info as { remoteAddr?: { hostname?: string } } | undefined)?.remoteAddr?.hostname)
}

/** `Bun.serve` calls its handler with `(request, server)`. */
function bunAddress([request, server]: readonly unknown[]): string | undefined {
  const bun = server as { requestIP?(request: unknown): { address?: string } | null } | undefined
  return textOrNone(bun?.requestIP?.(request)?.address)
}

/**
 * The addresses that proxies reported. The proxy that is nearest to this server reported the last one. An entry without
 * an address (`unknown`, `_hidden`) also counts as a hop.
 */
export function forwardedAddresses(header: 'x-forwarded-for' | 'forwarded', value: string): string[] {
  const entries = header === 'forwarded' ? forParameters(value) : value.split(',')
  return entries.map(bareAddress)
}

/** `name=value` or `name="value"`, and the separator after it. */
const parameter = /[ \t]*([!#$%&'*+.^_`|~\w-]+)=(?:([^\s",;]+)|"((?:[^"\\]|\\.)*)")[ \t]*([;,]|$)/y

/**
 * The `for` of each element of `Forwarded` (RFC 7239, section 4): `for="[2001:db8::1]:4711";proto=https, for=…`.
 * The sender controls quoted text, and could open a quote that swallows the entries that a proxy appends. So a header
 * with a syntax error anywhere counts as one entry without an address.
 */
function forParameters(value: string): string[] {
  const entries = ['']
  parameter.lastIndex = 0
  let end: string | undefined = ','
  while (end !== '') {
    const [, name, plain, quoted, separator] = parameter.exec(value) ?? []
    if (name === undefined) return ['']
    if (name.toLowerCase() === 'for') entries[entries.length - 1] = plain ?? quoted?.replace(/\\(.)/g, '$1') ?? ''
    if (separator === ',') entries.push('')
    end = separator
  }
  return entries
}

/** Removes the port and the brackets that some proxies add: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function bareAddress(text: string): string {
  const trimmed = text.trim()
  const [, bracketed, v4] = /^(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)$/.exec(trimmed) ?? []
  return bracketed ?? v4 ?? trimmed
}
