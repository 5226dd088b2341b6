import { connect } from 'node:net'

/** Sends a GET with a body that does not end. @returns the status and the bytes that were sent until the server closed. */
export async function getWithEndlessBody(url: string): Promise<{ status: number; sent: number }> {
  const { hostname, port, host, pathname } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  const closed = new Promise((resolve) => socket.on('close', resolve))
  let answer = ''
  socket.on('data', (chunk) => (answer += chunk))
  socket.on('error', () => {}) // the server closed the connection while the test was sending
  socket.write(`GET ${pathname} HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 100000000000\r\n\r\n`)
  const pour = () => socket.write(Buffer.alloc(1_000_000, 'x'), (error) => error || pour())
  pour()
  await closed
  return { status: Number(answer.slice(9, 12)), sent: socket.bytesWritten }
}
