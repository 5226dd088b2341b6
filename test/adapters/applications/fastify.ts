import fastify from 'fastify'
import fastify4 from 'fastify4'
import { hookserver } from '../../../src/adapters/fastify.ts'
import type { HookError } from '../../../src/index.ts'
import type { Application } from '../host.ts'

const frameworks = [
  ['Fastify 5', fastify],
  ['Fastify 4', fastify4],
] as const

export const fastifyApplications: readonly Application[] = frameworks.map(([title, create]) => ({
  title,
  async start(mounts) {
    const app = (create as typeof fastify)()
    app.setErrorHandler((error: HookError, _request, reply) => reply.code(error.statusCode).send(error.problem()))
    for (const { hooks, options, consumed } of mounts) {
      await app.register(async (scope) => {
        if (consumed) {
          scope.addHook('preParsing', async (_request, _reply, payload) => {
            for await (const _ of payload);
            return payload
          })
        }
        await scope.register(hookserver, { hooks, ...options })
      })
    }
    await app.ready()
    return app.server
  },
  applies: ({ about }) => about !== 'dot segments',
  samples: create === fastify,
}))
