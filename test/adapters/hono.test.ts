import { honoApplications } from './applications/hono.ts'
import { holdsAdapterContract } from './host.ts'

for (const application of honoApplications) holdsAdapterContract(application)
