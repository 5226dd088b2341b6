/** The answers about GitHub: missed deliveries and sweeps, webhooks, the App, and rate limits. */
import * as v from 'valibot'
import { missedDeliveryStates } from '../../../inbox/missed-deliveries.ts'
import { described } from '../../schema.ts'
import {
  action,
  count,
  flag,
  list,
  missedDeliveryCounts,
  object,
  optional,
  readonlyTexts,
  text,
  timestamp,
  word,
} from './parts.ts'

export const MissedDelivery = object({
  hookId: text('The id of the webhook'),
  guid: text('The GUID of the delivery'),
  target: text('The repository, organization or App that the webhook belongs to: acme/shop, acme or app'),
  event: text('The event, without the action'),
  action,
  deliveryId: text("GitHub's id of the latest attempt to send it: too many digits for a JavaScript number"),
  deliveredAt: timestamp('When GitHub first tried to send it'),
  status: text("The result of the latest attempt in GitHub's log, or why hookserver could not fetch the delivery"),
  state: word(
    missedDeliveryStates,
    "missed: GitHub could not deliver it. requested: a redelivery is under way. received: the inbox has it. expired: GitHub no longer keeps it. unrecorded: delivered, says GitHub's log, but not to this inbox",
  ),
  requests: count('How often hookserver requested it'),
  requestedAt: optional(timestamp('When hookserver last requested it')),
  expiresAt: timestamp('When GitHub deletes its latest attempt'),
})
export type MissedDelivery = v.InferOutput<typeof MissedDelivery>
export type MissedDeliveryState = MissedDelivery['state']

export const SweepReport = object({
  target: text('The repository, organization or App that the webhook belongs to'),
  hookId: optional(text('The id of the webhook. Absent if it is not known')),
  from: optional(timestamp("The start of the part of GitHub's log that was read")),
  sent: count('Deliveries in this part of the log'),
  unhandled: count('Deliveries that the inbox does not have, of events that recovery does not cover'),
  counts: missedDeliveryCounts('The missed deliveries that the sweep saw, by state'),
  fetched: count('The missed deliveries that this sweep requested or received'),
  calls: count('Requests to GitHub about this webhook, retries included'),
  error: optional(text('Why the sweep failed, or skipped a delivery or a part of the log')),
})
export type SweepReport = v.InferOutput<typeof SweepReport>

export const SweepResult = object({
  reports: list(SweepReport, 'A report for each webhook'),
  missedDeliveries: list(MissedDelivery, 'The missed deliveries that the sweep found, at most 1,000'),
})
export type SweepResult = v.InferOutput<typeof SweepResult>
export const Recovery = object({
  canSweep: flag('Whether this process can run a sweep'),
  counts: missedDeliveryCounts('The missed deliveries, by state'),
  missedDeliveries: list(MissedDelivery, 'The newest 1,000 missed deliveries'),
  last: optional(
    described(
      object({
        at: timestamp('When the sweep ended'),
        reports: list(
          object({ ...SweepReport.entries, at: timestamp('When the sweep of this report ended') }),
          'The latest report of each webhook, from all processes',
        ),
      }),
      'The latest completed sweep. Absent until there is one',
    ),
  ),
})
export type Recovery = v.InferOutput<typeof Recovery>

const Finding = object({
  what: text('The setting that was checked'),
  state: word(['fine', 'warning', 'failed'], 'The result of the check'),
  found: text('The value that was found'),
  cure: optional(text('How to fix it')),
})
export type Finding = v.InferOutput<typeof Finding>

const permissions = described(
  v.record(v.string(), optional(v.string())),
  'Names and levels of permissions, such as issues: write',
)

const WebhookStatus = object({
  name: text('As on the command line: acme/shop#7, or app'),
  url: optional(text('Without parts that may be secret. Absent if no single webhook was found')),
  events: readonlyTexts('The events that GitHub sends'),
  findings: list(Finding, 'The results of the checks'),
  newest: list(
    object({
      guid: text('The GUID of the delivery'),
      deliveredAt: timestamp('When GitHub sent it'),
      event: text('The event, without the action'),
      action,
      status: text('The text of GitHub, such as OK'),
      ok: flag('Whether the receiver answered with 2xx'),
    }),
    "The newest deliveries in GitHub's log, newest first, at most 10",
  ),
})
export type WebhookStatus = v.InferOutput<typeof WebhookStatus>

const Installation = object({
  id: text('The id of the installation'),
  account: text('The login of the user or organization'),
  coversAll: flag('Whether it covers all repositories of the account'),
  permissions,
  events: readonlyTexts('The events that the installation gets'),
  isSuspended: flag('Whether it is suspended'),
  page: text('The page with the settings of the installation'),
})
export type Installation = v.InferOutput<typeof Installation>

const AppStatus = object({
  name: text('The name of the App'),
  page: text('The public page of the App'),
  settings: text('The page on which the owner changes the App'),
  permissions,
  events: readonlyTexts('The events that the App subscribes to'),
  findings: list(Finding, 'The results of the checks'),
  installations: list(Installation, 'The first 100 installations'),
})
export type AppStatus = v.InferOutput<typeof AppStatus>

const GitHubStatus = object({
  checkedAt: timestamp('When GitHub was asked'),
  webhooks: list(WebhookStatus, 'The webhooks of --recover and --pull, and that of the App'),
  app: optional(described(AppStatus, 'The GitHub App. Absent if the server has none')),
  problems: list(
    object({ target: text('The repository, organization or App'), problem: text('Why GitHub did not answer') }),
    'The targets about which GitHub did not answer',
  ),
})
export const GitHub = object({
  status: optional(described(GitHubStatus, 'Absent if the server has no credentials, or neither an App nor webhooks')),
})
export type GitHub = v.InferOutput<typeof GitHub>

const RateLimit = object({
  caller: text('token, or an App or installation with its id, such as installation 7'),
  resource: text('As GitHub names it, such as core or search'),
  limit: count('Requests that GitHub allows until the limit resets'),
  remaining: count('Requests that were left at the latest response'),
  resetAt: timestamp('When the limit resets'),
})
export type RateLimit = v.InferOutput<typeof RateLimit>
export const RateLimits = object({
  limits: list(RateLimit, 'Those with the smallest share of requests left first, at most 100'),
})
export type RateLimits = v.InferOutput<typeof RateLimits>
