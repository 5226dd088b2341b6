import Fastify from 'fastify'
import { expect, test } from 'vitest'
import { type FastifyHooksOptions, hookserver } from '../../src/adapters/fastify.ts'
import { Hooks } from '../../src/hooks.ts'
import { fastifyApplications } from './applications/fastify.ts'
import { holdsAdapterContract } from './host.ts'

for (const application of fastifyApplications) holdsAdapterContract(application)

const ready = async (options: object) =>
  Fastify()
    .register(hookserver, options as FastifyHooksOptions)
    .ready()

test.each([{}, { hooks: 'hooks' }])('names the correct call for the options %j', async (options) => {
  await expect(ready(options)).rejects.toThrow('use app.register(hookserver, { hooks }) with an instance of Hooks')
})

test('names the plugin in the error of a wrong option, because Fastify calls it after the program', async () => {
  const error = await ready({ hooks: new Hooks({ secret: 'a secret' }), pth: '/hooks' }).catch((thrown) => thrown)
  expect(error).toBeInstanceOf(TypeError)
  expect(error.message).toBe('app.register(hookserver): Unknown option "pth". Did you mean "path"?')
  expect(error.stack).toContain(error.message)
})
