import { HookError } from '../errors.ts'
import type { HookRequest } from '../http.ts'
import type { Settings } from '../options.ts'
import { AddressSet, cidrsOf, namedRanges } from './cidr.ts'

/** The parts of a request that say where it comes from. */
export type Addressed = Pick<HookRequest, 'headers' | 'address' | 'frameworkAddress' | 'native'>

/** Finds the address of a request's client; `undefined` if the platform shows none. */
export type AddressReader = (request: Addressed) => string | undefined

/**
 * The reader that a mount's options ask for: `clientAddress` if given, and from there on through the proxies of
 * `trustProxy`, right to left: each trusted address gives way to the one that it reports.
 * @throws {TypeError} for a proxy that is no CIDR.
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
    const reported = request.headers[settings.forwardedHeader]
    const chain = reported === undefined ? [] : forwardedAddresses(settings.forwardedHeader, reported)
    let client = nearest
    for (let hop = 0; chain.length > 0 && isTrusted(client, hop); hop++) client = chain.pop() as string
    return client
  }
}

type Trust = (address: string, hop: number) => boolean

function createTrust(option: readonly string[] | number): Trust | undefined {
  if (typeof option === 'number') return option > 0 ? (_, hop) => hop < option : undefined
  if (option.length === 0) return undefined
  const cidrs = option.filter((entry) => entry !== 'unix').flatMap((entry) => namedRanges.get(entry) ?? [entry])
  const proxies = new AddressSet(cidrsOf('trustProxy', cidrs))
  const unix = option.includes('unix')
  return (address) => (address === 'unix' ? unix : proxies.has(address))
}

function peerReader({ clientAddress }: Pick<Settings, 'clientAddress'>): AddressReader {
  if (typeof clientAddress === 'function') return ({ native }) => ask(() => clientAddress(...native))
  if (clientAddress === 'framework') return (request) => request.frameworkAddress
  if (clientAddress === 'cloudflare') return (request) => request.headers['cf-connecting-ip']
  if (clientAddress === 'deno') return (request) => denoAddress(request.native)
  if (clientAddress === 'bun') return ({ native }) => ask(() => bunAddress(native))
  return (request) => request.address
}

/** What foreign code gives. */
function ask(reader: () => unknown): string | undefined {
  try {
    return textOrNone(reader())
  } catch (cause) {
    throw new HookError('address_unknown', { cause })
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
 * The addresses that proxies wrote down, nearest last. An entry that shows no address (`unknown`, `_hidden`,
 * garbage) stays in its place, since leaving it out would move the others one hop nearer.
 */
export function forwardedAddresses(header: 'x-forwarded-for' | 'forwarded', value: string): string[] {
  const entries = header === 'forwarded' ? forParameters(value) : value.split(',')
  return entries.map(bareAddress)
}

/** `name=value` or `name="value"`, and what ends it. */
const parameter = /[ \t]*([!#$%&'*+.^_`|~\w-]+)=(?:([^\s",;]+)|"((?:[^"\\]|\\.)*)")[ \t]*([;,]|$)/y

/**
 * The `for` of each element of `Forwarded` (RFC 7239, section 4): `for="[2001:db8::1]:4711";proto=https, for=…`.
 * A sender has a say in what stands between quotes, and could open a quote that swallows what a proxy appends: so a
 * header that breaks the grammar anywhere shows one entry, and no address.
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

/** Without the port and the brackets that some proxies add: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function bareAddress(text: string): string {
  const trimmed = text.trim()
  const [, bracketed, v4] = /^(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)$/.exec(trimmed) ?? []
  return bracketed ?? v4 ?? trimmed
}
