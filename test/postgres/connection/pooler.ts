/** Acts like PgBouncer in transaction mode: clients share one connection to PostgreSQL, one transaction at a time. */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import pg from 'pg'
import { onTestFinished } from 'vitest'

/** The size of a message's header in bytes: 1 for the type, and 4 for the length. */
const head = 5

/** @returns the URL for clients, which need no password. */
export async function startPooler(url: string): Promise<string> {
  const upstream = new pg.Client(url)
  await upstream.connect()
  upstream.on('error', () => undefined) // when the test ends
  const { stream } = (upstream as unknown as { connection: { stream: Socket } }).connection
  stream.removeAllListeners('data')

  const waiting: { client: Socket; messages: Buffer }[] = []
  let served: Socket | undefined
  const serveNext = () => {
    const next = served ? undefined : waiting.shift()
    if (!next) return
    served = next.client
    stream.write(next.messages)
  }
  let rest = Buffer.alloc(0)
  stream.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= head && rest.length > rest.readInt32BE(1)) {
      const message = rest.subarray(0, 1 + rest.readInt32BE(1))
      rest = rest.subarray(message.length)
      served?.write(message)
      if (message.toString('latin1', 0, 1) !== 'Z' || message.toString('latin1', head) !== 'I') continue
      served = undefined // the server has reported that it is ready and outside of a transaction
      serveNext()
    }
  })

  const server = createServer((client) => {
    client.on('error', () => undefined)
    client.once('data', () => {
      client.write(Buffer.from('R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I', 'latin1')) // AuthenticationOk, ReadyForQuery
      client.on('data', (messages) => {
        if (messages.toString('latin1', 0, 1) === 'X') client.end()
        else if (served === client) stream.write(messages)
        else waiting.push({ client, messages })
        serveNext()
      })
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    server.close()
    stream.destroy()
  })
  const { port } = server.address() as { port: number }
  return Object.assign(new URL(url), { port }).href
}
