/**
 * `node bench/serve.ts <name> [target]`: one benchmark server. It sends its port to its parent, and answers the message
 * `usage`.
 */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { definitionOf, type Name } from './contestants.ts'
import { bench } from './delivery.ts'
import './usage.ts'

const [name, target] = process.argv.slice(2) as [Name, string?]
const { file, options, store } = definitionOf(name)
if (store) await import('./unique-guids.ts')
const { default: create } = await import(file as string)
const server: Server = await create({ ...bench, target }, options)
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
