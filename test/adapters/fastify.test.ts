import { fastifyApplications } from './applications/fastify.ts'
import { holdsAdapterContract } from './host.ts'

for (const application of fastifyApplications) holdsAdapterContract(application)
