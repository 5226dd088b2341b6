import { createServer, type IncomingMessage, type Server } from 'node:http'
import { hookserver } from 'hookserver/lambda'
import type { Bench } from '../delivery.ts'
import { hooksFor } from './hooks.ts'

/** `hookserver/lambda` behind a server that converts each request to an event of API Gateway. */
export default (bench: Bench): Server => {
  const handler = hookserver(hooksFor(bench))
  return createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', async () => {
      const { statusCode, headers, body } = await handler(eventOf(request, Buffer.concat(chunks)))
      response.writeHead(statusCode, headers)
      response.end(body)
    })
  })
}

/** API Gateway sends the body of JSON requests as text. */
const eventOf = ({ url = '', method = '', headers, socket }: IncomingMessage, body: Buffer) => ({
  rawPath: url,
  headers: headers as Record<string, string>,
  requestContext: { http: { method, sourceIp: socket.remoteAddress ?? '' } },
  body: body.toString(),
  isBase64Encoded: false,
})
