/** `hookserver/store`: the types of a store, for an inbox of your own. `inboxContract` in `hookserver/testing` tests it. */

export type {
  Actor,
  AuditAccess,
  AuditAction,
  AuditEntry,
  AuditPage,
  AuditQuery,
  AuditResult,
  AuditTarget,
  NewAuditEntry,
} from './inbox/audit-log.ts'
export type { WithCapabilities } from './inbox/capabilities.ts'
export type { Count, CountQuery, Measure } from './inbox/counts.ts'
export type {
  FailedTaskState,
  FailureExample,
  FailureGroup,
  FailureGroupDetail,
  FailurePage,
  FailurePlace,
  FailureQuery,
} from './inbox/failure-groups.ts'
export type { HandlerLoad } from './inbox/handler-loads.ts'
export type {
  AttemptResult,
  AuditLog,
  AvailableWork,
  BasicStore,
  Capabilities,
  Capability,
  ClaimedTask,
  ClaimRequest,
  Clock,
  DecideMatches,
  DeliveryReader,
  DeliveryStatus,
  DeliveryStore,
  FailureGroups,
  HandlerPolicy,
  ImportedDelivery,
  KeyValues,
  Match,
  MatchedTask,
  MatchOffer,
  MatchResult,
  MissedDeliveryStore,
  NamedLeases,
  NewDelivery,
  Operations,
  ProcessStore,
  RetryOptions,
  Statistics,
  Store,
  StoredDelivery,
  StoreResult,
  TaskQueue,
} from './inbox/inbox.ts'
export type {
  GuidLookup,
  MissedDelivery,
  MissedDeliveryCounts,
  MissedDeliveryState,
} from './inbox/missed-deliveries.ts'
export type { ProcessInfo, RegisteredProcess } from './inbox/processes.ts'
export type { Condition, Expression, Test, TextColumn } from './inbox/query/query.ts'
export type { TimeCount, TimeCountQuery, TimeCounts } from './inbox/query/time-counts.ts'
export type { ValueColumn, ValueQuery } from './inbox/query/values.ts'
export type { Changes, MaintenanceFailure, OldTransaction, PayloadSummary } from './inbox/records.ts'
export type { GoneTasks, LeasedAttempt } from './inbox/task-queue.ts'
