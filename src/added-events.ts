/**
 * Additions to the events of `@octokit/openapi-webhooks-types`, for `events.ts`. `test/types` fails when a newer version
 * of that package has one of them. Then remove it here, and add its name to `knownActions`.
 */
import type { components } from '@octokit/openapi-webhooks-types'

/**
 * Events and actions that GitHub sends, and that `@octokit/openapi-webhooks-types` 12.2.0 lacks. That package describes
 * github.com, and these are mostly events of Enterprise Cloud. Sources:
 *
 * - `issues.status_changed`:
 *   docs.github.com/issues/tracking-your-work-with-issues/using-issues/issue-status-webhooks-and-workflows
 * - `dismissal_request_dependabot`: docs.github.com/enterprise-cloud@latest/webhooks/webhook-events-and-payloads
 * - all others: that page too, and the description of Enterprise Cloud in `@octokit/openapi-webhooks` 12.1.0
 */
export const addedActions = {
  bypass_request_secret_scanning: 'cancelled completed created response_dismissed response_submitted',
  dismissal_request_code_scanning: 'created response_submitted',
  dismissal_request_dependabot: 'cancelled created response_submitted',
  dismissal_request_secret_scanning: 'cancelled completed created response_dismissed response_submitted',
  exemption_request_push_ruleset: 'cancelled completed created response_dismissed response_submitted',
  issues: 'status_changed',
  organization_custom_property: 'created deleted updated',
  organization_custom_property_values: 'updated',
} as const

type Schemas = components['schemas']

/** The members that most payloads have. */
interface Common {
  enterprise?: Schemas['enterprise-webhooks']
  installation?: Schemas['simple-installation']
  organization?: Schemas['organization-simple-webhooks']
  repository?: Schemas['repository-webhooks']
  sender: Schemas['simple-user']
}

interface ExemptionResponse {
  id?: number
  reviewer_id?: number
  reviewer_login?: string
  status?: 'approved' | 'rejected' | 'dismissed'
  reviewer_comment?: string | null
  created_at?: string
}

/** A request to bypass a protection or to dismiss an alert. GitHub describes all its members as optional. */
interface ExemptionRequest {
  id?: number
  number?: number | null
  repository_id?: number
  requester_id?: number
  requester_login?: string
  request_type?: NonNullable<ExemptionData['type']>
  exemption_request_data?: ExemptionData
  /** Such as the SHA of a commit. */
  resource_identifier?: string
  status?: 'pending' | 'rejected' | 'cancelled' | 'completed'
  requester_comment?: string | null
  metadata?: { label?: string; alert_title?: string; reason?: string } | null
  expires_at?: string
  created_at?: string
  responses?: ExemptionResponse[] | null
  html_url?: string
}

type ExemptionData =
  | {
      type?: 'push_ruleset_bypass'
      data?: { ruleset_id?: number; ruleset_name?: string; total_violations?: number; rule_type?: string }[]
    }
  | {
      type?: 'secret_scanning'
      data?: { secret_type?: string; locations?: { commit?: string; branch?: string; path?: string }[] }[]
    }
  | { type?: 'secret_scanning_closure'; data?: { reason?: string; secret_type?: string; alert_number?: string }[] }
  | { type?: 'code_scanning_alert_dismissal' | 'dependabot_alert_dismissal'; data?: { alert_number?: string }[] }

type ExemptionPayload<Action> = Common & {
  action: Action
  exemption_request: ExemptionRequest
} & (Action extends `response_${string}` ? { exemption_response: ExemptionResponse } : unknown)

type ExemptionPayloads<Event extends string, Actions extends string> = {
  [Name in `${Event}.${Actions}`]: Name extends `${Event}.${infer Action}` ? ExemptionPayload<Action> : never
}

type OrganizationProperty = Omit<Schemas['custom-property'], 'values_editable_by'> & {
  values_editable_by?: 'enterprise_actors' | 'enterprise_and_org_actors' | null
}

interface OrganizationPropertyPayload<Action, Definition> extends Pick<Common, 'installation'> {
  action: Action
  definition: Definition
  enterprise: Schemas['enterprise-webhooks']
  sender?: Common['sender']
}

type Pinned = Schemas['webhook-issues-pinned']

/** The payloads of `addedActions`, from the same sources. */
export type AddedPayloads = ExemptionPayloads<
  'bypass_request_secret_scanning' | 'dismissal_request_secret_scanning' | 'exemption_request_push_ruleset',
  'cancelled' | 'completed' | 'created' | 'response_dismissed' | 'response_submitted'
> &
  ExemptionPayloads<'dismissal_request_code_scanning', 'created' | 'response_submitted'> &
  ExemptionPayloads<'dismissal_request_dependabot', 'cancelled' | 'created' | 'response_submitted'> & {
    /** `changes` has no type, because issue statuses are a preview, whose payload may still change. */
    'issues.status_changed': Omit<Pinned, 'action' | 'issue'> & {
      action: 'status_changed'
      issue: Pinned['issue'] & { status?: { id: number; name: string; category: string } | null }
      changes?: Record<string, unknown>
    }
    'organization_custom_property.created': OrganizationPropertyPayload<'created', OrganizationProperty>
    'organization_custom_property.deleted': OrganizationPropertyPayload<'deleted', { property_name: string }>
    'organization_custom_property.updated': OrganizationPropertyPayload<'updated', OrganizationProperty>
    'organization_custom_property_values.updated': Pick<Common, 'installation'> & {
      action: 'updated'
      enterprise: Schemas['enterprise-webhooks']
      organization: Schemas['organization-simple-webhooks']
      sender?: Common['sender']
      new_property_values: Schemas['custom-property-value'][]
      old_property_values: Schemas['custom-property-value'][]
    }
  }
