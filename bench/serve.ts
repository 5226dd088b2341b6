/** One server of the benches in a process of its own: `node bench/serve.ts <name>`; tells its port and answers `usage`. */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { contestants } from './contestants.ts'
import { bench } from './delivery.ts'
import './usage.ts'

const name = process.argv[2] as keyof typeof contestants
const server: Server = await contestants[name](bench)
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
