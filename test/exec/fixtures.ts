/** Programs to run, deliveries to run them for, and connections that show which programs are still running. */
import { on, once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { ReceivedDelivery } from '../../src/delivery.ts'
import type { ExecHandler } from '../../src/exec/index.ts'
import { sourcesOf } from '../inbox/fixtures.ts'
import { Recorder } from '../recorder.ts'

const push = {
  ref: 'refs/heads/main',
  after: '0123456789abcdef0123456789abcdef01234567',
  repository: { full_name: 'acme/site' },
  sender: { login: 'ada' },
}

/** A delivery of a push to main, and its log. */
export function deliveryOf(changes: Record<string, unknown> = {}, event = 'push', guid = 'a-guid') {
  const log = new Recorder()
  const facts = {
    guid,
    event,
    headers: {},
    receivedAt: new Date(),
    source: '/hooks',
    secretId: undefined,
    secretIndex: 0,
  }
  const data = { ...push, ...changes }
  const delivery = new ReceivedDelivery(facts, { data, members: data }, sourcesOf(log))
  /** The lines that the program wrote. */
  const written = (stream: 'stdout' | 'stderr' = 'stdout') =>
    log.lines.filter(({ fields }) => fields.stream === stream).map(({ message }) => message)
  return { delivery, log, written, run: (handler: ExecHandler) => handler(delivery) }
}

/** The error with which a run fails. */
export async function failureOf(run: Promise<string>): Promise<Error> {
  const text = await run.catch((error: unknown) => error)
  if (text instanceof Error) return text
  throw new Error(`The run should have failed, but it resolved with ${text}`)
}

/** A folder for the tests of a file, and a function that writes shell scripts into it. */
export function programs() {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-exec-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  let count = 0
  const write = (name: string, text: string, mode = 0o755) => {
    const file = join(folder, name)
    writeFileSync(file, text)
    chmodSync(file, mode) // regardless of the umask
    return file
  }
  const sh = (text: string) => write(`${++count}.sh`, `#!/bin/sh\n${text}\n`)
  return { folder, write, sh }
}

/** A program that ignores SIGTERM. It holds a connection until it ends, and echoes data on it. */
const holder = `
  import { connect } from 'node:net'
  process.on('SIGTERM', () => {})
  const socket = connect(process.argv[2])
  socket.on('data', (data) => socket.write(data))
  socket.on('close', () => process.exit())
`

/** `command` starts a holder; `holding()` is the connection of the next holder that starts. */
export function holders({ folder, write }: ReturnType<typeof programs>) {
  const address = join(folder, 'socket')
  const server = createServer()
  const connections = on(server, 'connection')
  const open = new Set<Socket>()
  server.on('connection', (socket) => {
    open.add(socket)
    socket.on('error', () => {}) // the holder was killed
  })
  beforeAll(() => once(server.listen(address), 'listening'))
  afterAll(() => {
    for (const socket of open) socket.destroy() // ends the holders that a failed test has left
    server.close()
  })
  const command = `'${process.execPath}' '${write('holder.mjs', holder)}' '${address}'`
  const holding = async (): Promise<Socket> => {
    const { value } = await connections.next()
    return (value as [Socket])[0].resume()
  }
  return { command, holding }
}
