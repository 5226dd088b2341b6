import { expect, test } from 'vitest'
import { hookserver } from '../../src/adapters/fastify.ts'
import { fastifyApplications } from './applications/fastify.ts'
import { holdsAdapterContract } from './host.ts'

for (const application of fastifyApplications) holdsAdapterContract(application)

test('names the correct call for hookserver(hooks)', async () => {
  const wrong = hookserver as unknown as (hooks: object) => Promise<void>
  await expect(wrong({})).rejects.toThrow('use app.register(hookserver, { hooks })')
})
