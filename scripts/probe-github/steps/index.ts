import type { Step } from '../step.ts'
import { addressSteps } from './addresses.ts'
import { cloneStep } from './clone.ts'
import { configSteps } from './config.ts'
import { idSteps } from './ids.ts'
import { largePayloadStep } from './large-payload.ts'
import { logSteps } from './log.ts'
import { payloadSteps } from './payloads.ts'
import { responseSteps } from './responses.ts'
import { statusSteps } from './statuses.ts'

/** All questions, in the order in which the probe asks them. */
export const steps: readonly Step[] = [
  ...addressSteps,
  ...responseSteps,
  ...logSteps,
  ...idSteps,
  ...configSteps,
  ...statusSteps,
  ...payloadSteps,
  largePayloadStep,
  cloneStep,
]
