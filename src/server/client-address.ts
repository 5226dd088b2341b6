/** The address of the client of a request to the admin listener, for the audit log and the limit of wrong tokens. */
import type { Context, MiddlewareHandler } from 'hono'
import { createAddressReader } from '../receiver/client-address.ts'
import type { Settings } from '../settings.ts'

/** The proxies in front of the admin listener, and the header in which they report the client. */
export type Proxies = Pick<Settings, 'trustProxy' | 'forwardedHeader'>

const noProxies: Proxies = { trustProxy: [], forwardedHeader: 'x-forwarded-for' }

/**
 * Finds the address of the client once per request, by the rules of the receiver: the client is the peer, unless the
 * peer is a trusted proxy. Without trusted proxies the header is ignored, because every client can send it.
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
