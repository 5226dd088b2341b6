/**
 * The minimum work of a receiver of signed webhooks with `Request` and `Response`: read, HMAC, parse, reply. The HMAC is
 * that of `node:crypto`, which takes less CPU than WebCrypto. workerd has only WebCrypto.
 */
const secret = "It's a Secret to Everybody"
const nodeCrypto = globalThis.process?.getBuiltinModule?.('node:crypto')
const decoder = new TextDecoder()

export default {
  async fetch(request: Request): Promise<Response> {
    const body = new Uint8Array(await request.arrayBuffer())
    const claimed = bytesOfHex(String(request.headers.get('x-hub-signature-256')).slice('sha256='.length))
    const right = await verify(body, claimed)
    if (right) JSON.parse(decoder.decode(body))
    const headers = { 'content-type': 'text/plain; charset=utf-8' }
    return new Response(right ? 'ok' : 'no', { status: right ? 200 : 400, headers })
  },
}

function verify(body: Uint8Array<ArrayBuffer>, claimed: Uint8Array<ArrayBuffer>): boolean | Promise<boolean> {
  if (!nodeCrypto) return verifyWithWebCrypto(body, claimed)
  const digest = nodeCrypto.createHmac('sha256', secret).update(body).digest()
  return digest.length === claimed.length && nodeCrypto.timingSafeEqual(digest, claimed)
}

let key: ReturnType<typeof crypto.subtle.importKey> | undefined

async function verifyWithWebCrypto(body: Uint8Array<ArrayBuffer>, claimed: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  key ??= crypto.subtle.importKey('raw', new TextEncoder().encode(secret), algorithm, false, ['verify'])
  return crypto.subtle.verify('HMAC', await key, claimed, body)
}

function bytesOfHex(hex: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(hex.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)
  return bytes
}
