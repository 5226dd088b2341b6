import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { hookserver } from '../../src/adapters/web.ts'
import { application } from '../runtimes/application.ts'
import { holdsAdapterContract } from './host.ts'

holdsAdapterContract('web', (mounts) => createAdaptorServer({ fetch: application(hookserver, mounts) }) as Server, {
  clientAddress: () => '127.0.0.1',
})
