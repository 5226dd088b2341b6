import { expressApplications } from './applications/express.ts'
import { holdsAdapterContract } from './host.ts'

for (const application of expressApplications) holdsAdapterContract(application)
