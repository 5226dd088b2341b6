/**
 * `node bench/service/many-clients-program.ts <url> <idle> <slow>`: clients that occupy connections. Idle clients send
 * one request, and keep their connection. Slow clients send a byte a second: half of these clients send headers, and
 * half send a body. The program reconnects closed connections. When all clients are connected, it sends the counts to
 * its parent. It sends them again in reply to each message.
 */
import { connect } from 'node:net'

interface Client {
  /** Sent in one piece when the client connects. */
  greeting: string
  /** Sent after the greeting, one byte a second. */
  tail: string
}

const [url = '', idle = '0', slow = '0'] = process.argv.slice(2)
const { host, hostname, port, pathname } = new URL(url)
/** How many connections are opened at the same time: fewer than the server queues for acceptance (the backlog). */
const atOnce = 100

const headers =
  `POST ${pathname} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: 7000\r\n` +
  `x-github-event: push\r\nx-github-delivery: slow\r\nx-hub-signature-256: sha256=${'0'.repeat(64)}\r\n\r\n`
const keepingAlive: Client = { greeting: `GET /healthz HTTP/1.1\r\nhost: ${host}\r\n\r\n`, tail: '' }
const slowHeaders: Client = { greeting: '', tail: headers }
const slowBody: Client = { greeting: headers, tail: ' '.repeat(7000) }

let [connected, closed] = [0, 0]

/**
 * Resolves when the client has connected for the first time. A client that sends a whole request must also have
 * received a part of its answer.
 */
function keepConnected(client: Client): Promise<void> {
  const ready = Promise.withResolvers<void>()
  const socket = connect(Number(port), hostname)
  let drip: NodeJS.Timeout | undefined
  socket.once('connect', () => {
    connected++
    socket.write(client.greeting)
    if (client.tail === '') return
    let sent = 0
    drip = setInterval(() => socket.write(client.tail.charAt(sent++)), 1000)
    ready.resolve()
  })
  socket.once('data', () => ready.resolve())
  socket.resume()
  socket.on('error', ready.reject)
  socket.on('close', () => {
    clearInterval(drip)
    connected--
    closed++
    keepConnected(client).catch(ready.reject)
  })
  return ready.promise
}

async function gather(clients: readonly Client[]): Promise<void> {
  for (let first = 0; first < clients.length; first += atOnce) {
    await Promise.all(clients.slice(first, first + atOnce).map(keepConnected))
  }
}

process.on('message', () => process.send?.({ connected, closed }))
process.on('disconnect', () => process.exit(0))
const slowOnes = Array.from({ length: Number(slow) }, (_, index) => (index % 2 === 0 ? slowHeaders : slowBody))
await gather([...Array<Client>(Number(idle)).fill(keepingAlive), ...slowOnes])
process.send?.({ connected, closed })
