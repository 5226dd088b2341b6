/**
 * The permissions that a GitHub App needs for its events.
 *
 * Source: the summaries of the webhooks in GitHub's OpenAPI description (`@octokit/openapi` 23.0.2), such as "To
 * subscribe to this event, a GitHub App must have at least read-level access for the "Issues" repository permission".
 * `issue_relates_to` comes from docs.github.com. The names are those of `default_permissions` in a manifest, and of the
 * schema `app-permissions`.
 */

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
const alerts = { permission: 'secret_scanning_alerts' }
const contents = { permission: 'contents' }
const customProperties = { permission: 'organization_custom_properties' }
const deployments = { permission: 'deployments' }
const discussions = { permission: 'discussions' }
const issues = { permission: 'issues' }
const members = { permission: 'members' }
const metadata = { permission: 'metadata' }
const projects = { permission: 'repository_projects', alternatives: ['organization_projects'] }
const organizationProjects = { permission: 'organization_projects' }
const pullRequests = { permission: 'pull_requests' }

/** The permission that an App needs for each event. `eventsWithoutPermission` has the events that need none. */
export const eventPermissions: Readonly<Record<string, EventPermission>> = {
  branch_protection_configuration: administration,
  branch_protection_rule: administration,
  check_run: { permission: 'checks', writeActions: ['requested_action', 'rerequested'] },
  check_suite: { permission: 'checks', writeActions: ['requested', 'rerequested'] },
  code_scanning_alert: { permission: 'security_events' },
  commit_comment: contents,
  create: contents,
  custom_property: customProperties,
  custom_property_values: customProperties,
  delete: contents,
  dependabot_alert: { permission: 'vulnerability_alerts' },
  deploy_key: deployments,
  deployment: deployments,
  deployment_protection_rule: deployments,
  deployment_review: deployments,
  deployment_status: deployments,
  discussion: discussions,
  discussion_comment: discussions,
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
  secret_scanning_alert: alerts,
  secret_scanning_alert_location: alerts,
  secret_scanning_scan: alerts,
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

/** Events that an App can subscribe to without a permission. */
export const eventsWithoutPermission: readonly string[] = ['meta', 'security_advisory']

/** Events that GitHub sends to every App. GitHub refuses a manifest that lists one: "Default events unsupported". */
export const eventsOfEveryApp: readonly string[] = [
  'github_app_authorization',
  'installation',
  'installation_repositories',
  'installation_target',
  'ping',
]

/**
 * Events that GitHub sends only to other webhooks: those of a repository, an organization, a sponsored account or a
 * listing in the Marketplace.
 */
export const eventsNotForApps: readonly string[] = [
  'marketplace_purchase',
  'package', // an App gets `registry_package`
  'repository_import',
  'repository_vulnerability_alert', // an App gets `dependabot_alert`
  'sponsorship',
]
