/** What the admin API answers, as `docs/api.md` describes it; deliveries are those of the inbox itself. */
import type { Gap, GapState } from '../../src/inbox/gaps.ts'
import type { RegisteredProcess } from '../../src/inbox/processes.ts'
import type {
  AttemptDetail,
  DeliveryDetail,
  DeliveryState,
  Page,
  Rejection,
  Rejections,
} from '../../src/inbox/records.ts'

export type { DeliverySummary, TaskDetail } from '../../src/inbox/records.ts'
export type {
  AttemptDetail,
  DeliveryDetail,
  DeliveryState,
  Gap,
  GapState,
  Page,
  RegisteredProcess as SeenPresence,
  Rejection as Refusal,
  Rejections as Refusals,
}

/** RFC 9457. */
export interface Problem {
  status: number
  code: string
  detail: string
}

export interface Session {
  readOnly: boolean
  /** In milliseconds since 1970. */
  expiresAt?: number
}

export interface Handler {
  name: string
  /** None are known of a handler of another process. */
  events?: string[]
  replies?: boolean
  options?: Readonly<Record<string, unknown>>
  paused: boolean
  elsewhere?: boolean
  lastFailure?: { id: number; at: number; error: string }
}

export interface Percentiles {
  p50: number
  p95: number
  p99: number
}

export type WindowName = '1h' | '24h' | '7d'

export interface Series {
  since: number
  step: number
  received: { event: string; outcome: string; counts: number[] }[]
  attempts: { handler: string; outcome: AttemptDetail['outcome']; counts: number[] }[]
  refused: { code: string; counts: number[] }[]
  secrets: { index: number; count: number }[]
  latency: Percentiles | null
  latencies: (Percentiles | null)[]
}

export interface Stats {
  states: Record<DeliveryState, number>
  oldestUnfinished?: number
  handlers: string[]
  paused: string[]
  size: number
  gaps: Record<GapState, number>
  process: { version: string; role?: string; uptime: number; memory: { rss: number; heapUsed: number } }
  processes: RegisteredProcess[]
  receiver?: {
    heldBytes: number
    heldLimit: number
    origin: boolean | 'warn'
    signature: boolean
    ranges?: { count: number; fetchedAt?: number; failing?: string }
  }
  series: Series
  warnings: { code: string; message: string; cure: string }[]
}

export interface SweepReport {
  target: string
  hookId?: string
  from?: number
  sent: number
  unhandled: number
  gaps: Record<GapState, number>
  calls: number
  error?: string
}

export interface Recovery {
  counts: Record<GapState, number>
  gaps: Gap[]
  last?: { at: number; reports: SweepReport[] }
}

export interface SampleCount {
  event: string
  action?: string
  count: number
}

export interface Sample {
  event: string
  action?: string
  payload: Record<string, unknown>
}
