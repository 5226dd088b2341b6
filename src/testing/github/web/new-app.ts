import { randomBytes } from 'node:crypto'
import type { Reply } from '../http/reply.ts'
import { ping } from '../sending/lifecycle-events.ts'
import { settingsOf } from '../shapes/user.ts'
import type { App } from '../world/app.ts'
import type { Account } from '../world/repository.ts'
import type { World } from '../world/world.ts'
import { listOr } from './home.ts'
import { html, missingPage, page, redirect } from './html.ts'
import { type Manifest, parseManifest } from './manifest.ts'
import { accountIn, type Visit } from './visit.ts'
import { hookPath } from './webhooks.ts'

/** In characters: the maximum length of an App's name. */
const maxName = 34

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
  const { app, webhookSecret } = register(world, owner, manifest, name)
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
export function showApp(visit: Visit): Reply {
  const { world, parameters } = visit
  const app = world.apps.find(({ slug, owner }) => slug === parameters.slug && owner === accountIn(visit))
  if (!app) return missingPage()
  const path = `/apps/${app.slug}/installations/new`
  const [hook] = world.hooksOf(app)
  const installations = app.installations.map(({ account, id }) => {
    return html`<li><a href="${settingsOf(account)}/installations/${id}">${account.login}</a></li>`
  })
  const deliveries = hook && html`<p><a href="${hookPath(hook)}">Deliveries of the webhook</a></p>`
  const content = html`${deliveries}${requestsOf(app)}<h2>Installations</h2>
${listOr(installations, 'The App is not installed.')}<p><a href="${path}">Install App</a></p>`
  return page(200, app.name, content)
}

const manifestIn = ({ form, url }: Visit): string => form.get('manifest') ?? url.searchParams.get('manifest') ?? ''

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
  const { description, homepage, setupUrl, public: visible, permissions, events, hook } = manifest
  const app = world.addApp({
    ...{ id: world.newId(), slug: slugOf(name), name, owner: owner.login, permissions, events, homepage },
    ...{ public: visible, ...(description !== undefined && { description }), ...(setupUrl && { setupUrl }) },
  })
  const webhookSecret = hook && randomBytes(20).toString('hex')
  if (hook) world.makeHook({ type: 'integration', of: app }, { ...hook, events, secret: webhookSecret })
  return { app, webhookSecret }
}
