import { koaApplications } from './applications/koa.ts'
import { holdsAdapterContract } from './host.ts'

for (const application of koaApplications) holdsAdapterContract(application)
