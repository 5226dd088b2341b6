import { randomBytes } from 'node:crypto'
import type { Reply } from '../http/reply.ts'
import { ping } from '../sending/lifecycle-events.ts'
import { settingsOf } from '../shapes/user.ts'
import type { App } from '../world/app.ts'
import type { Account } from '../world/repository.ts'
import type { World } from '../world/world.ts'
import { listOr } from './home.ts'
import { html, missingPage, page, redirect } from './html.ts'
import { isWebAddress, type Manifest, parseManifest } from './manifest.ts'
import { accountIn, type Visit } from './visit.ts'
import { hookPath } from './webhooks.ts'

/** In characters: the maximum length of an App's name. */
const maxName = 34

/** A form for the members of a manifest, unless the address has a manifest. */
export function showNewApp(visit: Visit): Reply {
  if (visit.url.searchParams.has('manifest')) return showManifest(visit)
  const owner = accountIn(visit)
  if (!owner) return missingPage()
  const content = html`<form method="post" action="${settingsOf(owner)}/apps/new">
<label>GitHub App name <input name="name" required></label>
<label>Webhook URL <input name="webhook_url" type="url" value="http://127.0.0.1:8000/hooks"></label>
<label>Permissions, one a line, such as issues: write <textarea name="permissions"></textarea></label>
<label>Events, one a line, such as issues <textarea name="events"></textarea></label>
<button>Continue</button>
</form>`
  return page(200, `New GitHub App of ${owner.login}`, content)
}

/** Shows the permissions and events of the manifest. The user can change the name, and nothing is registered yet. */
export function showManifest(visit: Visit): Reply {
  const owner = accountIn(visit)
  if (!owner) return missingPage()
  const manifest = parseManifest(manifestIn(visit))
  if ('errors' in manifest) return rejected(manifest.errors)
  return confirmation(visit, owner, manifest, manifest.name ?? '')
}

/** Registers the App. Sends the browser to the manifest's redirect URL with a code, or else to the App's settings. */
export function registerApp(visit: Visit): Reply {
  const { world, sender, form } = visit
  const owner = accountIn(visit)
  if (!owner) return missingPage()
  const manifest = parseManifest(manifestIn(visit))
  if ('errors' in manifest) return rejected(manifest.errors)
  const name = (form.get('name') ?? '').trim()
  const problem = problemOf(world, owner, name)
  if (problem) return confirmation(visit, owner, manifest, name, problem)
  const { app, webhookSecret } = register(world, world.account(owner.login, owner.type), manifest, name)
  const [hook] = world.hooksOf(app)
  if (hook?.active) ping(world, sender, hook)
  if (manifest.redirectUrl === undefined) return redirect(`${settingsOf(owner)}/apps/${app.slug}`)
  const target = new URL(manifest.redirectUrl)
  target.searchParams.set('code', world.codes.add({ app, webhookSecret }))
  const state = stateIn(visit)
  if (state !== '') target.searchParams.set('state', state)
  return redirect(target)
}

/** The settings of an App. */
export function showApp(visit: Visit, problem?: string): Reply {
  const app = appIn(visit)
  if (!app) return missingPage()
  const path = `/apps/${app.slug}/installations/new`
  const [hook] = visit.world.hooksOf(app)
  const installations = app.installations.map(({ account, id }) => {
    return html`<li><a href="${settingsOf(account)}/installations/${id}">${account.login}</a></li>`
  })
  const deliveries = hook && html`<p><a href="${hookPath(hook)}">Deliveries of the webhook</a></p>`
  const secret =
    typeof hook?.secret === 'string' ? html`<li>Webhook secret: <code>${hook.secret}</code></li>` : undefined
  const content = html`${deliveries}${requestsOf(app)}<h2>Credentials</h2>
<ul><li>App ID: <code>${app.id}</code></li>
<li>Client ID: <code>${app.clientId}</code></li>
<li>Client secret: <code>${app.clientSecret}</code></li>
${secret}
<li><a href="${settingsOf(app.owner)}/apps/${app.slug}/private-key.pem">Private key</a></li></ul>
<h2>Installations</h2>
${listOr(installations, 'The App is not installed.')}<p><a href="${path}">Install App</a></p>
<h2>Login of users</h2>
${problem === undefined ? undefined : html`<p role="alert">${problem}</p>`}
<form method="post" action="${settingsOf(app.owner)}/apps/${app.slug}">
<label>Callback URLs, one a line <textarea name="callback_urls">
${visit.form.get('callback_urls') ?? app.callbackUrls.join('\n')}</textarea></label>
<button>Save changes</button>
</form>`
  return page(problem === undefined ? 200 : 422, app.name, content)
}

/** The private key of an App, as a file. GitHub shows a key only once. The local GitHub keeps it. */
export function downloadKey(visit: Visit): Reply {
  const app = appIn(visit)
  if (!app) return missingPage()
  const headers = {
    ...{ 'content-type': 'application/x-pem-file', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
    'content-disposition': `attachment; filename="${app.slug}.private-key.pem"`,
  }
  return { status: 200, headers, page: app.privateKey }
}

/** Replaces the addresses that a browser may be sent to after a user has authorized the App. */
export function changeApp(visit: Visit): Reply {
  const app = appIn(visit)
  if (!app) return missingPage()
  const addresses = (visit.form.get('callback_urls') ?? '').split(/\s+/).filter((address) => address !== '')
  if (!addresses.every(isWebAddress)) return showApp(visit, 'Callback url must be a valid URL')
  app.callbackUrls = addresses
  return redirect(`${settingsOf(app.owner)}/apps/${app.slug}`)
}

function appIn(visit: Visit): App | undefined {
  const [{ world, parameters }, account] = [visit, accountIn(visit)]
  return world.apps.find(({ slug, owner }) => slug === parameters.slug && owner === account)
}

const manifestIn = (visit: Visit): string =>
  visit.form.get('manifest') ?? visit.url.searchParams.get('manifest') ?? manifestOfForm(visit)

/** The manifest that the form of `showNewApp` describes. Empty if the request is not from this form. */
function manifestOfForm({ form, world }: Visit): string {
  const hook = form.get('webhook_url')
  if (hook === null) return ''
  const permissions = (form.get('permissions') ?? '').matchAll(/([^\s:]+)\s*:\s*(\S+)/g)
  return JSON.stringify({
    ...{ name: form.get('name') ?? '', url: world.origin, ...(hook !== '' && { hook_attributes: { url: hook } }) },
    default_permissions: Object.fromEntries([...permissions].map(([, name, level]) => [name, level])),
    default_events: (form.get('events') ?? '').split(/\s+/).filter((event) => event !== ''),
  })
}

const stateIn = ({ form, url }: Visit): string => form.get('state') ?? url.searchParams.get('state') ?? ''

function rejected(errors: readonly string[]): Reply {
  const list = errors.map((error) => html`<p role="alert"><strong>Error</strong> ${error}</p>`)
  const intro = html`<p>The configuration does not appear to be a valid GitHub App manifest.</p>`
  return page(422, 'Invalid GitHub App configuration', html`${intro}${list}`)
}

function confirmation(visit: Visit, owner: Account, manifest: Manifest, name: string, problem?: string): Reply {
  const alert = problem === undefined ? undefined : html`<p role="alert">${problem}</p>`
  const content = html`<form method="post" action="${settingsOf(owner)}/apps">
<input type="hidden" name="manifest" value="${manifestIn(visit)}">
<input type="hidden" name="state" value="${stateIn(visit)}">
<label>GitHub App name <input name="name" value="${name}" required></label>
${alert}
${requestsOf(manifest)}
<button>Create GitHub App for ${owner.login}</button>
</form>`
  return page(problem === undefined ? 200 : 422, 'Create GitHub App', content, { formsLeave: true })
}

/** The permissions and events that an App has or will have. */
function requestsOf({ permissions, events }: Pick<App, 'permissions' | 'events'>) {
  const levels = Object.entries(permissions).map(([name, level]) => html`<li>${name}: ${level}</li>`)
  const names = events.map((event) => html`<li>${event}</li>`)
  return html`<h2>Permissions</h2><ul>${levels}</ul><h2>Events</h2><ul>${names}</ul>`
}

/**
 * Why GitHub does not accept a name for a new App. If an account has this name as its login, only that account may give
 * the name to an App.
 */
function problemOf(world: World, owner: Account, name: string): string | undefined {
  const slug = slugOf(name)
  if (slug === '') return "Name can't be blank"
  if (name.length > maxName) return `Name is too long (maximum is ${maxName} characters)`
  const account = world.findAccount(slug)
  const taken = world.apps.some((app) => app.slug === slug) || (account && account !== owner)
  return taken ? 'Name is already in use' : undefined
}

function slugOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
}

function register(
  world: World,
  owner: Account,
  manifest: Manifest,
  name: string,
): { app: App; webhookSecret: string | undefined } {
  const { description, homepage, setupUrl, callbackUrls, public: visible, permissions, events, hook } = manifest
  const app = world.addApp({
    ...{ id: world.newId(), slug: slugOf(name), name, owner: owner.login, permissions, events, homepage, callbackUrls },
    ...{ public: visible, ...(description !== undefined && { description }), ...(setupUrl && { setupUrl }) },
  })
  const webhookSecret = hook && randomBytes(20).toString('hex')
  if (hook) world.makeHook({ type: 'integration', of: app }, { ...hook, events, secret: webhookSecret })
  return { app, webhookSecret }
}
