export type { AppOptions, AppResolver } from './app.ts'
export type {
  CheckAnnotation,
  CheckConclusion,
  CheckOptions,
  CheckOutput,
  CheckResult,
  CheckRun,
  CheckWork,
} from './bots/check-types.ts'
export type { BotMembers, BotMethods, ChangedFiles, ConfigOptions, Unavailable } from './bots/members.ts'
export type { SchemaIssue, SchemaOutput, SchemaResult, StandardSchemaV1 } from './bots/standard-schema.ts'
export type { IssueTarget, PullRequestTarget, RepositoryTarget } from './bots/targets.ts'
export type { CheckedName, CheckedNames } from './checked-names.ts'
export type { Command, CommandPermission, CommandTarget } from './commands/command.ts'
export type {
  CommandArguments,
  CommandDelivery,
  CommandEvent,
  CommandHandler,
  CommandOptions,
} from './commands/command-options.ts'
export type { Reaction } from './commands/conversation.ts'
export type {
  AnyOctokit,
  BodyBytes,
  Delivery,
  DeliveryOctokit,
  ExactDelivery,
  OctokitClass,
  Priority,
  Register,
} from './delivery.ts'
export type { Middleware } from './dispatch/middleware.ts'
export { type ErrorCode, errorTable, HookError, type HookErrorOptions, type Problem } from './errors.ts'
export type {
  ActionOf,
  AnyEventName,
  AnyPayload,
  EventName,
  EventOf,
  EventPayloads,
  KnownEvent,
  NamesByEvent,
  PayloadOf,
} from './events.ts'
export type { Installation, OctokitTarget } from './github/octokits.ts'
export type {
  Handler,
  HandlerFor,
  HandlerOptions,
  Hook,
  HookFor,
  Registration,
  ResolvedHandlerOptions,
} from './handler.ts'
export { Hooks } from './hooks.ts'
export type { HookReply, PlainReply } from './http.ts'
export type { Inbox } from './inbox/inbox.ts'
export type { WorkerProblem } from './inbox/processes.ts'
export { parseQuery } from './inbox/query/parse-query.ts'
export {
  type PathCondition,
  type Query,
  QueryError,
  type QueryFault,
  type QueryFlag,
  type SelectedIds,
  type Selection,
} from './inbox/query/query.ts'
export type {
  AttemptDetail,
  DeliveryDetail,
  DeliveryState,
  DeliverySummary,
  Failure,
  InboxOverview,
  LastError,
  Page,
  Rejection,
  Rejections,
  TaskDetail,
  TaskState,
} from './inbox/records.ts'
export type { DrainResult } from './inbox/worker/worker.ts'
export type { DrainOptions } from './inbox-workers.ts'
export type {
  ClientAddress,
  ClientAddressFunction,
  HandlerFailure,
  HooksOptions,
  MountOptions,
  PayloadParser,
  ResolvedSecret,
  Secret,
  SecretResolver,
} from './options.ts'
export { sign, verify } from './receiver/signature.ts'
export type { TrustedDelivery } from './receiver/trusted-delivery.ts'
export type { Duration, Size } from './runtime/units.ts'
export type {
  Schedule,
  ScheduledInstallation,
  ScheduledRepository,
  ScheduleEach,
  SchedulePayload,
  ScheduleRule,
} from './schedules/schedule.ts'
export type { ScheduleHandler, ScheduleOptions, ScheduleTime } from './schedules/schedule-options.ts'
export type { ModuleConfig as Config, PermissionLevels } from './server/config/module-config.ts'
export type { DeliveryLogger, LogMethod } from './telemetry/delivery-logger.ts'
export type { DeliveryMessage, DiagnosticsMessages } from './telemetry/diagnostics.ts'
export type { Logger } from './telemetry/logger.ts'
export type { Operation as TracedOperation, TracingMessages } from './telemetry/tracing.ts'
export { Discard, Retry, Unrecoverable } from './thrown.ts'
