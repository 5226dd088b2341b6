/** The minimum work of a receiver of signed webhooks on `node:http`: read, HMAC, parse, reply. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { Bench } from '../delivery.ts'

export default function floor({ secret }: Bench): Server {
  return createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      const digest = createHmac('sha256', secret).update(body).digest()
      const claimed = Buffer.from(String(request.headers['x-hub-signature-256']).slice('sha256='.length), 'hex')
      const right = claimed.length === digest.length && timingSafeEqual(claimed, digest)
      if (right) JSON.parse(body.toString())
      response.writeHead(right ? 200 : 400, { 'content-type': 'text/plain; charset=utf-8', 'content-length': '2' })
      response.end(right ? 'ok' : 'no')
    })
  })
}
