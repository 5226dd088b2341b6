/** The deployed program: it receives deliveries, and runs the handlers of one version of the module. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hookserver } from '../../src/adapters/node.ts'
import { Hooks } from '../../src/index.ts'
import { registerHandlers, testHandlers } from '../campaign/handlers.ts'
import { secret } from '../campaign/sender.ts'
import type { Notice } from '../campaign/victim.ts'
import { openStore, type StoreSettings } from './store.ts'
import { changedHandlers, type Version } from './versions.ts'

export interface ProgramSettings extends StoreSettings {
  version: Version
  /** The files in which the handlers record their work: those that do not change, and those of `changedHandlers`. */
  journals: { kept: string; changed: string }
  /** See `changedHandlers`. */
  repaired: string
}

const tell = (notice: Notice) => void process.send?.(notice)

async function main({ version, journals, repaired, ...store }: ProgramSettings): Promise<void> {
  const hooks = new Hooks({ secret, validateIp: false, inbox: openStore(store), logger: false })
  registerHandlers(hooks, testHandlers, journals.kept)
  registerHandlers(hooks, changedHandlers(version, repaired), journals.changed)
  process.on('disconnect', () => process.exit(1))
  process.on('message', () => void hooks.close().then(() => process.exit(0)))
  const server = createServer(hookserver(hooks)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  tell({ ready: true, port: (server.address() as AddressInfo).port })
}

if (import.meta.main) await main(JSON.parse(process.argv[2] as string))
