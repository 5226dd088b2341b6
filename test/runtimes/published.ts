/** The application with the published package. */
import { hookserver } from '../../dist/adapters/web.js'
import { contractMounts } from '../../dist/testing/contract/mounts.js'
import { application } from './application.ts'

export const fetch = application(hookserver as never, contractMounts({ clientAddress: () => '127.0.0.1' }) as never)
