import type { Reply } from '../http/reply.ts'
import { isSuccess, type LocalDelivery } from '../world/delivery.ts'
import type { Hook } from '../world/hook.ts'
import { repositoryLinks } from './code.ts'
import { listOr } from './home.ts'
import { type Html, html, missingPage, page, redirect, table } from './html.ts'
import { timeOf } from './issues.ts'
import { isDone, pathOf, problemIn, repositoryIn, type Visit } from './visit.ts'

/** The webhooks of a repository, and a form for a new one. */
export function showRepositoryHooks(visit: Visit, failed?: Reply): Reply {
  const { world, form } = visit
  const repository = repositoryIn(visit)
  const hooks = world.hooksOf(repository).map((hook) => html`<li><a href="${hookPath(hook)}">${hook.url}</a></li>`)
  const content = html`${repositoryLinks(visit, repository)}
${listOr(hooks, 'The repository has no webhooks. The webhooks of Apps are on the pages of the Apps.')}
<h2>New webhook</h2>
${failed && problemIn(failed)}
<form method="post" action="${pathOf(repository)}/settings/hooks">
<label>URL <input name="url" type="url" value="${form.get('url') ?? 'http://127.0.0.1:8000/hooks'}" required></label>
<label>Secret <input name="secret" autocomplete="off"></label>
<button>Add webhook for all events</button>
</form>`
  return page(failed?.status ?? 200, `Webhooks of ${repository.fullName}`, content)
}

export function addRepositoryHook(visit: Visit): Reply {
  const root = pathOf(repositoryIn(visit))
  const secret = visit.form.get('secret') || undefined
  const config = { url: visit.form.get('url') ?? '', content_type: 'json', ...(secret !== undefined && { secret }) }
  const reply = visit.request(`POST /repos${root}/hooks`, { config, events: ['*'] })
  if (!isDone(reply)) return showRepositoryHooks(visit, reply)
  return redirect(`/settings/hooks/${(reply.body as { id: number }).id}`)
}

/** A webhook and its deliveries, newest first. */
export function showHook(visit: Visit): Reply {
  const { world, sender } = visit
  const hook = hookIn(visit)
  if (!hook) return missingPage()
  const rows = world
    .logOf(hook)
    .all.toReversed()
    .map((delivery) => [
      html`<a href="${hookPath(hook)}/deliveries/${delivery.id}">${nameOf(delivery)}</a>`,
      ...[resultOf(delivery), delivery.redelivery ? 'Redelivery' : '', timeOf(delivery.deliveredAt), delivery.guid],
    ])
  const list = table(['Event', 'Result', 'Kind', 'Time', 'GUID'], rows)
  const content = html`<p>It belongs to ${ownerOf(hook)}. Events: ${hook.events.join(', ') || 'none'}.</p>
<h2>Deliveries</h2>
${sender.isSending ? html`<p role="status">Deliveries are in progress.</p>` : undefined}
${rows.length > 0 ? list : html`<p>There are no deliveries yet.</p>`}`
  return page(200, `Webhook ${hook.url}`, content, { refreshes: sender.isSending })
}

/** A delivery: its request, and the answer of the receiver. */
export function showDelivery(visit: Visit, failed?: Reply): Reply {
  const hook = hookIn(visit)
  const delivery = hook && deliveryIn(visit, hook)
  if (!delivery) return missingPage()
  const { request, response, url, duration, guid, failure, status } = delivery
  const { payload, payloadText = JSON.stringify(payload, undefined, 2) } = request
  const content = html`<p><a href="${hookPath(hook)}">All deliveries of this webhook</a></p>
${failed && problemIn(failed)}
<p>${resultOf(delivery)}, after ${duration / 1000} s. Sent to ${url} at ${timeOf(delivery.deliveredAt)}, with the GUID ${guid}.</p>
${failure && html`<p>${status}</p>`}
<form method="post" action="${hookPath(hook)}/deliveries/${delivery.id}"><button>Redeliver</button></form>
<h2>Request</h2>
<h3>Headers</h3>
${headersOf(request.headers)}
<h3>Payload</h3>
<pre tabindex="0">${payloadText}</pre>
<h2>Response</h2>
<h3>Headers</h3>
${headersOf(response.headers)}
<h3>Body</h3>
<pre tabindex="0">${response.payload ?? ''}</pre>`
  return page(failed?.status ?? 200, `Delivery of ${nameOf(delivery)}`, content)
}

export function redeliver(visit: Visit): Reply {
  const hook = hookIn(visit)
  const delivery = hook && deliveryIn(visit, hook)
  if (!delivery) return missingPage()
  const { owner } = hook
  const app = owner.type === 'integration' ? owner.of : undefined
  const reply = visit.request(`POST ${apiPath(hook)}/deliveries/${delivery.id}/attempts`, {}, app)
  return isDone(reply) ? redirect(hookPath(hook)) : showDelivery(visit, reply)
}

/** The page of a webhook. */
export const hookPath = ({ id }: Pick<Hook, 'id'>): string => `/settings/hooks/${id}`

function apiPath({ id, owner }: Hook): string {
  if (owner.type === 'integration') return '/app/hook'
  if (owner.type === 'repository') return `/repos${pathOf(owner.of)}/hooks/${id}`
  return `/orgs/${encodeURIComponent(owner.of.login)}/hooks/${id}`
}

function ownerOf({ owner }: Hook): string {
  if (owner.type === 'integration') return `the App ${owner.of.name}`
  return owner.type === 'repository' ? owner.of.fullName : owner.of.login
}

const hookIn = ({ world, parameters }: Visit): Hook | undefined =>
  world.hooks.find(({ id }) => id === Number(parameters.hook_id))

const deliveryIn = ({ world, parameters }: Visit, hook: Hook): LocalDelivery | undefined =>
  world.logOf(hook).find(parameters.delivery_id ?? '')

const nameOf = ({ event, action }: LocalDelivery): string => (action === undefined ? event : `${event}.${action}`)

function resultOf({ failure, statusCode }: LocalDelivery): Html {
  const text = failure === undefined ? `${statusCode}` : failure
  return isSuccess(statusCode) ? html`${text}` : html`<span class="failed">Failed: ${text}</span>`
}

const headersOf = (headers: Readonly<Record<string, string>>): Html =>
  html`<pre tabindex="0">${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')}</pre>`
