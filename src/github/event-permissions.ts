/**
 * The permissions that a GitHub App needs for its events.
 *
 * Source: the summaries of the webhooks in GitHub's OpenAPI description (`@octokit/openapi` 23.0.2), such as "To
 * subscribe to this event, a GitHub App must have at least read-level access for the "Issues" repository permission".
 * `issue_relates_to` comes from docs.github.com, and so do the events of Enterprise Cloud. The names are those of
 * `default_permissions` in a manifest, and of the schema `app-permissions`.
 */

/** The level of a permission. It includes the lower levels. */
export type PermissionLevel = 'read' | 'write' | 'admin'

/** The permissions of an App, by name. */
export type Permissions = Readonly<Record<string, PermissionLevel>>

export interface EventPermission {
  permission: string
  /** Default: `read`. */
  level?: PermissionLevel
  /** Permissions that GitHub accepts instead. */
  alternatives?: readonly string[]
  /** Actions that GitHub sends only to an App that has the permission with the level `write`. */
  writeActions?: readonly string[]
}

const actions = { permission: 'actions' }
const administration = { permission: 'administration' }
const codeScanning = { permission: 'security_events' }
const contents = { permission: 'contents' }
const customProperties = { permission: 'organization_custom_properties' }
const dependabot = { permission: 'vulnerability_alerts' }
const deployments = { permission: 'deployments' }
const discussions = { permission: 'discussions' }
const issues = { permission: 'issues' }
const members = { permission: 'members' }
const metadata = { permission: 'metadata' }
const projects = { permission: 'repository_projects', alternatives: ['organization_projects'] }
const organizationProjects = { permission: 'organization_projects' }
const pullRequests = { permission: 'pull_requests' }
const secretScanning = { permission: 'secret_scanning_alerts' }

/**
 * The permission that an App needs for each event. `eventsWithoutPermission` has the events that need none, and
 * `eventsWithUnknownPermission` those for which GitHub names none.
 */
export const eventPermissions: Readonly<Record<string, EventPermission>> = {
  branch_protection_configuration: administration,
  branch_protection_rule: administration,
  bypass_request_secret_scanning: secretScanning,
  check_run: { permission: 'checks', writeActions: ['requested_action', 'rerequested'] },
  check_suite: { permission: 'checks', writeActions: ['requested', 'rerequested'] },
  code_scanning_alert: codeScanning,
  commit_comment: contents,
  create: contents,
  custom_property: customProperties,
  custom_property_values: customProperties,
  delete: contents,
  dependabot_alert: dependabot,
  deploy_key: deployments,
  deployment: deployments,
  deployment_protection_rule: deployments,
  deployment_review: deployments,
  deployment_status: deployments,
  discussion: discussions,
  discussion_comment: discussions,
  dismissal_request_code_scanning: codeScanning,
  dismissal_request_dependabot: dependabot,
  dismissal_request_secret_scanning: secretScanning,
  exemption_request_push_ruleset: administration,
  fork: contents,
  gollum: contents,
  issue_comment: issues,
  issue_dependencies: issues,
  issue_relates_to: issues,
  issues,
  label: metadata,
  member: members,
  membership: members,
  merge_group: { permission: 'merge_queues' },
  milestone: { permission: 'issues', alternatives: ['pull_requests'] },
  org_block: { permission: 'organization_administration' },
  organization: members,
  page_build: { permission: 'pages' },
  personal_access_token_request: { permission: 'organization_personal_access_token_requests' },
  project: projects,
  project_card: projects,
  project_column: projects,
  projects_v2: organizationProjects,
  projects_v2_item: organizationProjects,
  projects_v2_status_update: organizationProjects,
  public: metadata,
  pull_request: pullRequests,
  pull_request_review: pullRequests,
  pull_request_review_comment: pullRequests,
  pull_request_review_thread: pullRequests,
  push: contents,
  registry_package: { permission: 'packages' },
  release: contents,
  repository: metadata,
  repository_advisory: { permission: 'repository_advisories' },
  repository_dispatch: contents,
  repository_ruleset: { permission: 'administration', alternatives: ['organization_administration'] },
  secret_scanning_alert: secretScanning,
  secret_scanning_alert_location: secretScanning,
  secret_scanning_scan: secretScanning,
  security_and_analysis: administration,
  star: metadata,
  status: { permission: 'statuses' },
  sub_issues: issues,
  team: members,
  team_add: members,
  watch: metadata,
  workflow_dispatch: contents,
  workflow_job: actions,
  workflow_run: actions,
}

/**
 * Events that only GitHub's description of Enterprise Cloud has. A handler for `*` subscribes an App to none of them,
 * because other accounts do not get them.
 */
export const enterpriseEvents: readonly string[] = [
  'bypass_request_secret_scanning',
  'dismissal_request_code_scanning',
  'dismissal_request_dependabot',
  'dismissal_request_secret_scanning',
  'exemption_request_push_ruleset',
  'organization_custom_property',
  'organization_custom_property_values',
]

/** Events that an App can subscribe to without a permission. */
export const eventsWithoutPermission: readonly string[] = ['meta', 'security_advisory']

/** Events that GitHub sends to Apps without saying which permission they need. */
export const eventsWithUnknownPermission: readonly string[] = ['organization_custom_property_values']

/** Events that GitHub sends to every App. GitHub refuses a manifest that lists one: "Default events unsupported". */
export const eventsOfEveryApp: readonly string[] = [
  'github_app_authorization',
  'installation',
  'installation_repositories',
  'installation_target',
  'ping',
]

/**
 * Events that GitHub sends only to other webhooks: those of a repository, an organization, an enterprise, a sponsored
 * account or a listing in the Marketplace.
 */
export const eventsNotForApps: readonly string[] = [
  'marketplace_purchase',
  'organization_custom_property',
  'package', // an App gets `registry_package`
  'repository_import',
  'repository_vulnerability_alert', // an App gets `dependabot_alert`
  'sponsorship',
]
