import type { MissedDeliveryState } from '../inbox/missed-deliveries.ts'
import type { AttemptDetail, DeliveryState, TaskState } from '../inbox/records.ts'
import type { Style } from './output.ts'

/** Red needs an operator, yellow may recover without one. */
export const stateStyles: Readonly<Record<DeliveryState | TaskState, Style>> = {
  pending: 'blue',
  running: 'cyan',
  retrying: 'yellow',
  dead: 'red',
  discarded: 'gray',
  done: 'green',
  ignored: 'gray',
  gone: 'gray',
}

export const outcomeStyles: Readonly<Record<AttemptDetail['outcome'], Style>> = {
  running: 'cyan',
  succeeded: 'green',
  failed: 'yellow',
  dead: 'red',
  discarded: 'gray',
  released: 'gray',
  'cut off': 'yellow',
}

export const missedStyles: Readonly<Record<MissedDeliveryState, Style>> = {
  missed: 'red',
  requested: 'yellow',
  received: 'green',
  expired: 'red',
  unrecorded: 'yellow',
}
