import type { Context, MiddlewareHandler } from 'hono'
import { createAddressReader } from '../../receiver/client-address.ts'
import type { Settings } from '../../settings.ts'

/** The proxies in front of the admin listener, and the header in which they name their client. */
export type Proxies = Pick<Settings, 'trustProxy' | 'forwardedHeader'>

const noProxies: Proxies = { trustProxy: [], forwardedHeader: 'x-forwarded-for' }

/**
 * Finds the client's address once per request, by the rules of the receiver: the peer's, unless the peer is a trusted
 * proxy. Every client can send the header, so it is ignored without a trusted proxy.
 */
export function readClientAddress(proxies: Proxies = noProxies): MiddlewareHandler {
  const { trustProxy, forwardedHeader } = proxies
  const addressOf = createAddressReader({ trustProxy, forwardedHeader, clientAddress: undefined })
  return async (context, next) => {
    const headers = { [forwardedHeader]: context.req.header(forwardedHeader) }
    context.set(addressKey, addressOf({ headers, address: peerAddress(context), native: [context.req.raw] }))
    await next()
  }
}

/** The address that `readClientAddress` found. */
export const clientAddress = (context: Context): string | undefined => context.get(addressKey) as string | undefined

const addressKey = 'clientAddress'

function peerAddress(context: Context): string | undefined {
  const { incoming } = context.env as { incoming?: { socket: { remoteAddress?: string } } }
  return incoming?.socket.remoteAddress
}
