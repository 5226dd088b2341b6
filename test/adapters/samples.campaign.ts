/** All sample payloads, in the frameworks and runtimes that do not get them in `npm test`. */
import { holdsRuntimeContract, runtimes } from '../runtimes/contract.ts'
import { expressApplications } from './applications/express.ts'
import { fastifyApplications } from './applications/fastify.ts'
import { honoApplications } from './applications/hono.ts'
import { koaApplications } from './applications/koa.ts'
import { lambdaApplications } from './applications/lambda.ts'
import { holdsAdapterContract } from './host.ts'

const applications = [
  ...expressApplications,
  ...fastifyApplications,
  ...honoApplications,
  ...koaApplications,
  ...lambdaApplications,
]
for (const one of applications) if (one.samples) holdsAdapterContract(one, 'only samples')
for (const one of runtimes) holdsRuntimeContract(one, 'only samples')
