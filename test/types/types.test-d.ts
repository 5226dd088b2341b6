/** The types of the public functions. Nothing here runs: `tsc` is the test. */

import { createServer } from 'node:http'
import { createServer as createServer2 } from 'node:http2'
import type { ALBHandler, APIGatewayProxyHandler, APIGatewayProxyHandlerV2, LambdaFunctionURLHandler } from 'aws-lambda'
import { type Octokit, Octokit as OctokitClass } from 'octokit'
import { hookserver as lambdaHookserver } from '../../src/adapters/lambda.ts'
import { type NodeHandler, hookserver as nodeHookserver } from '../../src/adapters/node.ts'
import type { AddedPayloads, addedActions } from '../../src/added-events.ts'
import type { DescribedPayloads, knownActions } from '../../src/events.ts'
import { recover } from '../../src/github/index.ts'
import type { Store } from '../../src/inbox/inbox.ts'
import {
  type AnyEventName,
  type AnyPayload,
  type CheckedName,
  type CheckedNames,
  type CommandHandler,
  type Config,
  type Delivery,
  type Discard,
  type EventName,
  type Handler,
  type HandlerOptions,
  type Hook,
  type HookReply,
  Hooks,
  type Inbox,
  type PayloadOf,
  Retry,
  type ScheduledRepository,
  type SchedulePayload,
  verify,
} from '../../src/index.ts'
import type { SettingName, Values } from '../../src/server/config/settings.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { inject, run, sample, signedRequest } from '../../src/testing/index.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <_Claim extends true>(): void => {}

declare const hooks: Hooks

// The config of a module has every setting of a server, apart from those that the server needs before the import.
holds<Equal<Exclude<keyof Config, 'permissions'>, Exclude<SettingName, 'dev' | 'secretFile' | 'logFormat'>>>()
holds<Equal<NonNullable<Config['role']>, Values['role']>>()
holds<Equal<NonNullable<Config['logLevel']>, Values['logLevel']>>()
holds<Equal<NonNullable<Config['recoverMode']>, Values['recoverMode']>>()
holds<Equal<Config['validateIp'], Values['validateIp']>>()
const config = {
  port: 9000,
  role: 'receiver',
  retention: '7d',
  maxSize: '20GiB',
  trustProxy: ['loopback'],
  validateIp: 'warn',
  permissions: { issues: 'write', repository_projects: 'admin', metadata: 'read' },
  recover: { targets: ['acme/shop#7', { organization: 'acme' }], every: '10m', mode: 'pull' },
} satisfies Config
holds<Equal<typeof config.port, number>>()
// @ts-expect-error: a misspelled setting
void ({ ports: 9000 } satisfies Config)
// @ts-expect-error: a duration without a unit
void ({ retention: '7' } satisfies Config)
// @ts-expect-error: a misspelled setting of recovery
void ({ recover: { targets: 'acme/shop', evry: '5m' } } satisfies Config)
// @ts-expect-error: a misspelled permission
void ({ permissions: { isues: 'write' } } satisfies Config)
// @ts-expect-error: a level that GitHub does not offer
void ({ permissions: { metadata: 'write' } } satisfies Config)
// @ts-expect-error: the server reads the secret before it imports the module
void ({ secretFile: 'secrets' } satisfies Config)

// Exact for event.action.
hooks.hook('issues.opened', (data, guid, delivery) => {
  holds<Equal<typeof guid, string>>()
  holds<Equal<typeof data.action, 'opened'>>()
  holds<Equal<typeof data.issue.title, string>>()
  holds<Equal<typeof delivery.event, 'issues'>>()
  holds<Equal<typeof delivery.action, 'opened'>>()
  holds<Equal<typeof delivery.payload, typeof data>>()
  // @ts-expect-error: no such member
  data.issues
})
hooks.on('pull_request_review_comment.created', ({ payload }) => holds<Equal<typeof payload.comment.body, string>>())
hooks.on('workflow_run.in_progress', ({ payload }) => holds<Equal<typeof payload.action, 'in_progress'>>())

// Ids are text.
hooks.on('*', ({ installationId }) => holds<Equal<typeof installationId, string | undefined>>())
new Hooks({ parsePayload: JSON.parse })
// @ts-expect-error: a payload is an object
new Hooks({ parsePayload: (json) => json })

// A union discriminated by action.
hooks.hook('issues', (data, _guid, delivery) => {
  if (data.action === 'labeled') holds<Equal<typeof data.label extends object | undefined ? true : false, true>>()
  // @ts-expect-error: not every action has a label
  data.label
  // @ts-expect-error: not an action of issues
  if (data.action === 'submitted') return
  holds<Equal<typeof delivery.action, typeof data.action>>()
})

// Events without actions.
hooks.hook('push', (data, _guid, { action }) => {
  holds<Equal<typeof data.ref, string>>()
  holds<Equal<typeof action, undefined>>()
})
hooks.hook('ping', (data) => data.zen)

// The sender of repository_dispatch names its actions.
hooks.on('repository_dispatch', ({ payload }) => holds<Equal<typeof payload.action, string>>())
hooks.on('repository_dispatch.deploy', ({ payload }) => {
  holds<Equal<typeof payload.action, 'deploy'>>()
  payload.client_payload
})

// Several names make a union.
hooks.on(['push', 'create'], (delivery) => {
  holds<Equal<typeof delivery.payload.ref, string>>()
  holds<Equal<typeof delivery.event, 'push' | 'create'>>()
  // @ts-expect-error: only a push has commits
  delivery.payload.commits
})

// Any event, and an unknown one.
hooks.hook('*', (data, _guid, delivery) => {
  holds<Equal<typeof delivery.event, string>>()
  holds<Equal<typeof data.repository extends { full_name: string } | undefined ? true : false, true>>()
})
hooks.hook('brand_new_event' as string, (data) => holds<Equal<typeof data, AnyPayload>>())
hooks.on(['push', 'issues.brand_new_action' as string], ({ payload }) => holds<Equal<typeof payload, AnyPayload>>())
// @ts-expect-error: not an event
hooks.hook('isues')
// @ts-expect-error: not an action of issues
hooks.on('issues.open', () => {})
// @ts-expect-error: not an event
hooks.on(['push', 'isues'], () => {})
// @ts-expect-error: not an event
hooks.off('isues', () => {})
// @ts-expect-error: not an action of star
signedRequest('star.exploded')
// @ts-expect-error: not an event
sample('isues')
for (const name of ['push', 'fork'] as const) hooks.on(name, ({ payload }) => payload.repository.full_name)
hooks.on(['push', 'fork'] as const, ({ payload }) => payload.repository.full_name)

// `event` and `action` narrow the payload.
hooks.on(['push', 'issues'], ({ event, action, payload }) => {
  if (event === 'push') payload.commits
  if (action === 'labeled') payload.label
  // @ts-expect-error: only a push has commits
  payload.commits
})
hooks.on('issues', (delivery) => {
  if (delivery.action === 'opened') delivery.payload.issue.title
})

// Any delivery.
const describeAny = (delivery: Delivery) => delivery.payload.repository?.full_name ?? delivery.payload.sender?.login
hooks.on('push', (delivery) => describeAny(delivery))
hooks.on('issues', describeAny)

// A function of a library that takes a name.
const log = <const Name extends AnyEventName>(name: CheckedName<Name>, handler: Handler<Name>) =>
  hooks.on(name, { name: 'log' }, (delivery) => [delivery.guid, handler(delivery)])
log('push', ({ payload }) => payload.commits)
// @ts-expect-error: not an event
log('pushed', () => {})
const logAll = <const Name extends AnyEventName>(names: CheckedNames<Name>, handler: Handler<Name>) =>
  hooks.on(names, handler)
logAll(['push', 'fork'], ({ event }) => holds<Equal<typeof event, 'push' | 'fork'>>())

// The short form, and the return values.
const ping = hooks.hook('ping')((data) => data.zen)
holds<Equal<typeof ping, Hook<'ping'>>>()
hooks.off('ping', ping)

// A handler that is declared separately.
const opened: Handler<'issues.opened'> = ({ payload }) => payload.issue.number
hooks.on('issues.opened', opened)
const issue: Handler<'issues'> = ({ payload }) => payload.issue.number
hooks.on('issues.opened', issue)
hooks.on('issues.closed', { attempts: 1 }, issue)
hooks.off('issues.opened', issue)
const issueHook: Hook<'issues'> = (payload) => payload.issue.number
hooks.hook('issues.opened', issueHook)
hooks.hook('issues.opened', { attempts: 1 }, issueHook)
hooks.hook('issues.opened')(issueHook)
hooks.off('issues.opened', issueHook)
// @ts-expect-error: the handler expects another event
hooks.on('push', issue)
// @ts-expect-error: the handler expects an issue that was opened
hooks.on('issues', opened)
// @ts-expect-error: the hook expects another event
hooks.hook('push', issueHook)
// @ts-expect-error: the handler expects another event
hooks.off('push', issue)
const anything: Handler = (delivery: Delivery) => delivery.payload
hooks.on('brand_new_event' as string, anything)

holds<Equal<ReturnType<typeof sample<'issues.opened'>>, PayloadOf<'issues.opened'>>>()
signedRequest('issues.opened', { payload: sample('issues.opened') })
signedRequest('issues', { payload: { action: 'labeled', issue: { number: 5 } } })
signedRequest('push', { payload: '{"any":"text"}' })
// @ts-expect-error: a ref is a text
signedRequest('push', { payload: { ref: 5 } })
// @ts-expect-error: a push has no issue
signedRequest('push', { payload: { issue: {} } })
declare const header: string | null | undefined
verify('secret', 'body', header)

// The names known at run time are those known to the types.
type Actions<List extends string> = List extends `${infer First} ${infer Rest}` ? First | Actions<Rest> : List
type Names<Lists> = {
  [Event in keyof Lists & string]: Lists[Event] extends '' ? never : `${Event}.${Actions<Lists[Event] & string>}`
}[keyof Lists & string]
type Known = typeof knownActions
type Added = typeof addedActions
type EventsOf<Payloads> = keyof Payloads extends infer Name
  ? Name extends `${infer Event}.${string}`
    ? Event
    : Name
  : never
holds<Equal<keyof Known | Names<Known>, EventsOf<DescribedPayloads> | keyof DescribedPayloads>>()
holds<Equal<Names<Added>, keyof AddedPayloads>>()
holds<Equal<keyof Known | Names<Known> | keyof Added | Names<Added> | 'schedule' | '*', EventName>>()
// A schedule has a payload of its own. With `each`, it names the installation or the repository.
hooks.schedule('stale', '0 3 * * *', ({ payload, action }) => {
  holds<Equal<typeof action, 'stale'>>()
  holds<Equal<typeof payload.time, string>>()
  holds<Equal<typeof payload.repository, ScheduledRepository | undefined>>()
})
hooks.schedule('stale', { every: '1d' }, { each: 'repository', attempts: 3 }, ({ payload }) => {
  holds<Equal<typeof payload.repository, ScheduledRepository>>()
  holds<Equal<typeof payload.installation.id, number>>()
})
hooks.schedule('stale', '0 3 * * *', { each: 'installation', missed: 'skip' }, ({ payload }) => {
  holds<Equal<typeof payload.installation.id, number>>()
  holds<Equal<typeof payload.repository, ScheduledRepository | undefined>>()
})
// A command has the arguments of its usage text.
hooks.command('/deploy <environment> [version]', ({ args, event, octokit, reply, react }) => {
  holds<Equal<typeof event, 'issue_comment' | 'pull_request_review_comment' | 'issues' | 'pull_request'>>()
  holds<Equal<ReturnType<typeof octokit>, Promise<Octokit>>>()
  holds<Equal<ReturnType<typeof reply>, Promise<void>>>()
  react('rocket')
  // @ts-expect-error: GitHub has no such reaction
  react('shrug')
  // @ts-expect-error: the usage text has no such argument
  args.stage
})
hooks.command('/deploy <environment> [version] --force --ref=<name>', { permission: 'maintain' }, ({ args }) => {
  holds<Equal<typeof args.environment, string>>()
  holds<Equal<typeof args.version, string | undefined>>()
  holds<Equal<typeof args.force, boolean>>()
  holds<Equal<typeof args.ref, string | undefined>>()
  holds<Equal<keyof typeof args, 'environment' | 'version' | 'force' | 'ref'>>()
})
hooks.command('/label <first> [more...]', ({ args }) => holds<Equal<typeof args.more, string[]>>())
hooks.command('/label <all...>', ({ args }) => holds<Equal<typeof args.all, [string, ...string[]]>>())
hooks.command('/merge', ({ args }) => holds<Equal<keyof typeof args, never>>())
hooks.command('/label' as string, ({ args }) => {
  holds<Equal<typeof args.any, string | readonly string[] | boolean | undefined>>()
})
// @ts-expect-error: GitHub has no such permission
hooks.command('/merge', { permission: 'push' }, () => {})
const merge: CommandHandler<'/merge'> = () => {}
hooks.off('/merge', hooks.command('/merge', merge))
hooks.off(
  '/deploy',
  hooks.command('/deploy <environment>', ({ args }) => args.environment),
)
hooks.off(
  'schedule.stale',
  hooks.schedule('stale', '0 3 * * *', () => {}),
)
hooks.off(
  'schedule.stale',
  hooks.schedule('stale', '0 3 * * *', { each: 'repository' }, () => {}),
)
hooks.on('schedule', ({ payload }) => holds<Equal<typeof payload, SchedulePayload>>())

// Each addition is one that the description does not have.
holds<Equal<keyof AddedPayloads & keyof DescribedPayloads, never>>()

// Events that the description lacks.
hooks.hook('issues.status_changed', (data) => {
  holds<Equal<typeof data.action, 'status_changed'>>()
  holds<Equal<typeof data.issue.title, string>>()
  holds<Equal<NonNullable<typeof data.issue.status>['category'], string>>()
})
hooks.on('bypass_request_secret_scanning', ({ payload }) => {
  holds<Equal<typeof payload.exemption_request.requester_login, string | undefined>>()
  const { exemption_request_data: requested } = payload.exemption_request
  if (requested?.type === 'secret_scanning')
    holds<Equal<NonNullable<typeof requested.data>[0]['secret_type'], string | undefined>>()
  if (payload.action === 'response_submitted') payload.exemption_response.reviewer_login
  // @ts-expect-error: not every action has a response
  payload.exemption_response
})
hooks.on('organization_custom_property', ({ payload }) => {
  holds<Equal<typeof payload.definition.property_name, string>>()
  if (payload.action === 'created') payload.definition.value_type
  // @ts-expect-error: a deleted property has only a name
  if (payload.action === 'deleted') payload.definition.value_type
})

// Deliveries from a queue, and the promise of the handler for Node.js.
holds<Equal<ReturnType<typeof hooks.receive>, Promise<HookReply>>>()
hooks.receive({ event: 'push', guid: 'g', payload: '{}', headers: { 'x-github-hook-id': '1' } })
hooks.receive({ event: 'push', guid: 'g', payload: Buffer.from('{}') })
hooks.receive({ event: 'push', guid: 'g', payload: sample('push') })
hooks.receive({ event: 'push', guid: 'g', payload: {} as AnyPayload })
hooks.receive({ event: 'push', guid: 'g', payload: {} as object })
// @ts-expect-error: a promise is no payload
hooks.receive({ event: 'push', guid: 'g', payload: Promise.resolve({}) })
// @ts-expect-error: a delivery has a GUID
hooks.receive({ event: 'push', payload: {} })
holds<Equal<ReturnType<NodeHandler>, Promise<boolean>>>()

// The handlers fit the servers of Node.js, and the event sources of AWS Lambda.
createServer(nodeHookserver(hooks))
createServer2(nodeHookserver(hooks))
lambdaHookserver(hooks) satisfies ALBHandler
lambdaHookserver(hooks) satisfies APIGatewayProxyHandler
lambdaHookserver(hooks) satisfies APIGatewayProxyHandlerV2
lambdaHookserver(hooks) satisfies LambdaFunctionURLHandler

// An option may be undefined.
declare const maybe: { after?: '1s'; text?: string; number?: number; flag?: boolean }
new Retry({ after: maybe.after, message: maybe.text })
hooks.close({ grace: maybe.after })
inject(hooks, { method: maybe.text, body: maybe.text, headers: undefined })
run(hooks, 'push', { attempt: maybe.number, guid: maybe.text, source: maybe.text })
signedRequest('push', { secret: maybe.text, payload: maybe.text, form: maybe.flag, guid: maybe.text })
signedRequest('push', { algorithms: undefined, headers: undefined })
recover(hooks, { targets: 'acme/shop', dryRun: maybe.flag, thorough: maybe.flag })

// @ts-expect-error: a handler is a function
hooks.hook('ping', 'pong')
// @ts-expect-error: an option that does not exist
new Hooks({ secrets: 'x' })
new Hooks({ secret: undefined, clientAddress: (request: Request) => request.headers.get('x-real-ip') ?? undefined })

// Octokit is installed here, so its types apply. scripts/check-package.ts compiles without it.
holds<Equal<ReturnType<Delivery['octokit']>, Promise<Octokit>>>()
holds<Equal<ReturnType<Hooks['octokit']>, Promise<Octokit>>>()
hooks.hook('issues.opened', async (_data, _guid, delivery) => {
  const { rest } = await delivery.octokit()
  const { data } = await rest.issues.createComment({ owner: 'o', repo: 'r', issue_number: 1, body: 'b' })
  holds<Equal<typeof data.id, number>>()
  // @ts-expect-error: a comment has a body
  rest.issues.createComment({ owner: 'o', repo: 'r', issue_number: 1 })
})
new Hooks({ app: { id: 3, privateKey: '' }, token: undefined })
new Hooks({ app: { id: 'Iv1.0', privateKey: '' } })
// @ts-expect-error: an App has a key
new Hooks({ app: { id: 3 } })
new Hooks({ octokit: OctokitClass })
const OctokitWithPlugin = OctokitClass.plugin(() => ({ greet: () => 'hello' })).defaults({ userAgent: 'bot' })
new Hooks({ octokit: OctokitWithPlugin })
// @ts-expect-error: an instance is no class
new Hooks({ octokit: new OctokitClass() })
const extended = (await hooks.octokit({ organization: 'acme' })) as InstanceType<typeof OctokitWithPlugin>
holds<Equal<ReturnType<typeof extended.greet>, 'hello'>>()
hooks.on('push', ({ log }) => {
  log.warn('text')
  log.warn('%s and %d', 'text', 1)
  log.error(new Error('x'))
  log.error(new Error('x'), 'text %s', 'value')
  log.info({ sha: 'x' }, 'text')
  log.debug({ sha: 'x' })
  const caught: unknown = new Error('x') // as in `catch`
  log.error(caught)
  log.error(caught, 'text')
})
hooks.octokit({ installation: '5' })
hooks.octokit({ installation: 5 })
// @ts-expect-error: an id is a text or a number
hooks.octokit({ installation: 5n })
for await (const { id, account } of hooks.installations()) {
  holds<Equal<[typeof id, typeof account], [string, { login?: string; slug?: string } | null]>>()
}

// An inbox and its options.
holds<Equal<ReturnType<typeof sqlite>, Store>>()
const operated: Inbox = sqlite('hookserver.db')
new Hooks({ inbox: operated })
// @ts-expect-error: the protocol of a store is not part of an inbox
void operated.claim
new Hooks({ inbox: sqlite('hookserver.db', { retention: '1ms', maxSize: undefined }), work: false, replays: 'discard' })
new Hooks({ onDead: ({ error, delivery }) => holds<Equal<[typeof error, typeof delivery], [unknown, Delivery]>>() })
hooks.on(
  'push',
  { name: 'sync', attempts: 3, backoff: '1ms', timeout: '1ms', concurrency: 1, order: 'repository' },
  () => {},
)
hooks.hook('push', { order: ({ payload, sender }) => `${payload.ref} ${sender}` }, () => {})
const options: HandlerOptions = { order: ({ repository, payload }) => repository ?? payload.sender?.login }
hooks.on(['push', 'fork'], options, () => {})
hooks.hook('push', () => {
  throw new Retry({ after: 1000, cause: 'busy' })
})
holds<Equal<Retry['after'], number | undefined>>()
holds<Equal<Discard['name'], 'Discard'>>()
// @ts-expect-error: an order is 'repository' or a function
hooks.hook('push', { order: 'sender' }, () => {})
// @ts-expect-error: the first argument is a path
sqlite({ path: 'hookserver.db' })
// @ts-expect-error: an option that does not exist
sqlite('hookserver.db', { maxsize: 1 })
new Retry({ after: '5s' })
// @ts-expect-error: a text needs a unit
new Retry({ after: '5' })
