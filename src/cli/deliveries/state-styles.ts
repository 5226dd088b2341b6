import type { AttemptDetail, DeliveryState, TaskState } from '../../inbox/records.ts'
import type { styled } from '../printing.ts'

type Style = Parameters<typeof styled>[0]

/** Red is what somebody has to look after, yellow what may mend by itself. */
export const stateStyles: Record<DeliveryState | TaskState, Style> = {
  pending: 'blue',
  running: 'cyan',
  retrying: 'yellow',
  dead: 'red',
  discarded: 'gray',
  done: 'green',
  ignored: 'gray',
  gone: 'gray',
}

export const outcomeStyles: Record<AttemptDetail['outcome'], Style> = {
  running: 'cyan',
  succeeded: 'green',
  failed: 'yellow',
  dead: 'red',
  discarded: 'gray',
  released: 'gray',
  'cut off': 'yellow',
}
