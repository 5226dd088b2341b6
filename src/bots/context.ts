import type { TargetSource } from './targets.ts'

/** The part of an Octokit that the members for bots use. */
export interface BotOctokit {
  request(route: string, parameters?: Record<string, unknown>): Promise<OctokitResponse>
}

export interface OctokitResponse {
  status: number
  data: unknown
  headers: Record<string, string | number | undefined>
}

/** The part of a delivery that the members for bots need. Not `Delivery`, which itself imports these members. */
export interface BotContext extends TargetSource {
  octokit(): Promise<BotOctokit>
  /** See `ReceivedDelivery.octokitUntil`. */
  octokitUntil(signal: AbortSignal): Promise<BotOctokit>
  readonly delivery: {
    readonly guid: string
    readonly attempt: number
    readonly isLastAttempt: boolean
    readonly targetType: string | undefined
    readonly targetId: string | undefined
    readonly signal: AbortSignal
    readonly log: { warn(fields: object, message: string): void }
  }
}
