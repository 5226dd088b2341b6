/** The pages of `app create` on loopback: the form for the manifest, its submission to GitHub, and messages. */
import { html, raw } from 'hono/html'
import { type AppManifest, eventField, maxNameLength, permissionField } from '../../github/app/manifest.ts'
import { permissionFor } from '../../github/app/needs.ts'
import { knownPermissions, levelsOf } from '../../github/app/permission-levels.ts'
import { eventPermissions, eventsWithoutPermission, type PermissionLevel } from '../../github/event-permissions.ts'

type Html = ReturnType<typeof html>

interface PageContext {
  /** For the page's own style and script: the policy of the page forbids any other. */
  nonce: string
}

interface FormContext extends PageContext {
  manifest: AppManifest
  /** The account that will own the App, as the page names it: `acme` or `your account`. */
  owner: string
  notes: readonly string[]
  /** Why GitHub would reject the manifest that the user submitted last. Empty at first. */
  problems: readonly string[]
}

/** The permissions and events that the form offers: those in the manifest, and the others that this version knows. */
export function offeredIn({ default_permissions, default_events }: AppManifest) {
  const permissions = [...new Set([...Object.keys(default_permissions), ...knownPermissions])]
  const events = [...new Set([...default_events, ...Object.keys(eventPermissions), ...eventsWithoutPermission])]
  return { permissions, events }
}

/** The form in which the user edits the manifest. */
export function formPage({ nonce, manifest, owner, notes, problems }: FormContext): Promise<string> {
  const { name, description = '', default_permissions, default_events, hook_attributes } = manifest
  const offered = offeredIn(manifest)
  const needed = offered.permissions.filter((one) => Object.hasOwn(default_permissions, one))
  const others = offered.permissions.filter((one) => !Object.hasOwn(default_permissions, one))
  const otherEvents = offered.events.filter((one) => !default_events.includes(one))
  return page(
    nonce,
    'Create a GitHub App',
    html`
<p>On the next page, GitHub asks you to confirm. The key and the secrets of the App go to a file on this machine, not into this browser.</p>
${problems.map((problem) => html`<p role="alert">${problem}</p>`)}
${notes.map((note) => html`<p>${note}</p>`)}
<form method="post" action="manifest" autocomplete="off">
<label>Name <input name="name" value="${name}" maxLength="${maxNameLength}" required></label>
<label>Description <input name="description" value="${description}"></label>
<p>Owner: ${owner}. ${manifest.public ? 'Any account can install it.' : 'Only its owner can install it.'}</p>
<p>GitHub delivers to <code>${hook_attributes.url}</code></p>
<fieldset><legend>Permissions</legend>
${needed.map((one) => levelSelect(one, default_permissions[one]))}
<details><summary>Other permissions</summary>${others.map((one) => levelSelect(one, undefined))}</details>
</fieldset>
<fieldset><legend>Events</legend>
${default_events.map((one) => eventBox(one, true))}
<details><summary>Other events</summary>${otherEvents.map((one) => eventBox(one, false))}</details>
</fieldset>
<button>Continue to GitHub</button>
</form>`,
  )
}

function levelSelect(permission: string, chosen: PermissionLevel | undefined): Html {
  const options = levelsOf(permission).map(
    (level) => html`<option value="${level}"${level === chosen ? raw(' selected') : ''}>${level}</option>`,
  )
  const field = permissionField(permission)
  return html`<p><label for="${field}">${permission}</label> <select id="${field}" name="${field}"><option value="">no access</option>${options}</select></p>`
}

function eventBox(event: string, isChosen: boolean): Html {
  const permission = permissionFor(event)?.permission
  const needs = permission === undefined ? '' : ` (needs ${permission})`
  return html`<label><input type="checkbox" name="${eventField}" value="${event}"${isChosen ? raw(' checked') : ''}> ${event}${needs}</label>`
}

/**
 * The template below gets this tag as a value, because its own text must not contain `</script>`. If the text of a
 * tagged template contains it, the bundler generates code that imports `@oxc-project/runtime`. Our users do not install
 * that package.
 */
const scriptEnd = raw('</script>')

/** Submits the manifest to GitHub when the page opens. If the browser runs no script, the user clicks the button. */
export function submissionPage({ nonce }: PageContext, action: string, manifest: AppManifest): Promise<string> {
  return page(
    nonce,
    'Continue to GitHub',
    html`
<form method="post" action="${action}">
<input type="hidden" name="manifest" value="${JSON.stringify(manifest)}">
<button>Continue to GitHub</button>
</form>
<script nonce="${nonce}">document.forms[0].submit()${scriptEnd}`,
  )
}

/** The page for a file: it contains the address of the form, and sends the browser there. */
export async function openingPage(address: string): Promise<string> {
  return String(
    await html`<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url=${address}">
<title>hookserver app create</title>
<a href="${address}">Go on</a>
`,
  )
}

export const messagePage = ({ nonce }: PageContext, title: string, text: string): Promise<string> =>
  page(nonce, title, html`<p role="alert">${text}</p>`)

async function page(nonce: string, title: string, content: Html): Promise<string> {
  return String(
    await html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style nonce="${nonce}">${raw(style)}</style>
<h1>${title}</h1>
${content}
</html>
`,
  )
}

const style = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { max-width: 40rem; margin: 2rem auto; padding: 0 1rem }
form > label, fieldset p, details > label, fieldset > label { display: block; margin: .5rem 0 }
input:not([type=checkbox]), select { font: inherit; padding: .25rem .5rem; margin-left: .5rem }
fieldset { margin: 1rem 0 }
summary { cursor: pointer; margin: .5rem 0 }
button { font: inherit; padding: .5rem 1rem }
[role=alert] { font-weight: bold }`
