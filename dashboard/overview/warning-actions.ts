import type { WarningCode } from '../../src/server/api/schemas/responses.ts'
import { linkTo } from '../address.ts'
import { searchFor } from '../ui/search.ts'

/** The link or button of a warning. */
export interface WarningAction {
  label: string
  /** A screen, or a card of the overview. */
  to: { link: string } | { card: string }
  /** Replaces the server's advice if the advice names a request or command that this page has a link or button for. */
  cure?: string
}

/** The id of the card about missed deliveries. */
export const recoveryCard = 'recovery'

export const actions: Readonly<Partial<Record<WarningCode, WarningAction>>> = {
  wrong_signatures: {
    label: 'Show rejected requests',
    to: { link: linkTo('rejections') },
    cure: 'Open the rejected requests, and compare the webhook’s secret on GitHub with the secret of this server',
  },
  all_rejected: {
    label: 'Show rejected requests',
    to: { link: linkTo('rejections', { code: 'forbidden_origin' }) },
  },
  not_stored: {
    label: 'Show rejected requests',
    to: { link: linkTo('rejections') },
  },
  dead: {
    label: 'Show dead deliveries',
    to: { link: searchFor({ state: 'dead' }) },
    cure: 'Open the dead deliveries, fix the cause of the failures, and retry them',
  },
  paused: {
    label: 'Show handlers',
    to: { link: linkTo('handlers') },
    cure: 'Resume them on the Handlers screen',
  },
  not_handled: {
    label: 'Show pending deliveries',
    to: { link: searchFor({ state: 'pending' }) },
  },
  missed: {
    label: 'Show missed deliveries',
    to: { card: recoveryCard },
    cure: 'Make sure that GitHub can reach this server. The recovery card shows the status that GitHub recorded',
  },
  recovery_failing: {
    label: 'Show recovery',
    to: { card: recoveryCard },
    cure: 'Fix this soon: GitHub keeps deliveries for only a few days. Test the fix with “Check GitHub now” in the recovery card',
  },
}
