/** Lets the inboxes of simulated processes serve the calls of their threads in the one thread of the simulation. */
import { registerHooks } from 'node:module'

const replaced = import.meta.resolve('../../src/runtime/thread-client.ts')
const client = import.meta.resolve('../runtime/in-thread-client.ts')
const importer = import.meta.resolve('../../src/postgres/threads.ts')

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context)
    return resolved.url === replaced && context.parentURL === importer ? { ...resolved, url: client } : resolved
  },
})
