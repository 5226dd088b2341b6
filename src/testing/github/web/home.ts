import type { Reply } from '../http/reply.ts'
import { nextCommands } from '../next-steps.ts'
import { settingsOf } from '../shapes/user.ts'
import { type Html, html, page } from './html.ts'
import { pathOf, type Visit } from './visit.ts'

/** The start page: all repositories and Apps, and the commands that use this GitHub. */
export function showHome({ world }: Visit): Reply {
  const repositories = world.repositories.map((repository) => {
    return html`<li><a href="${pathOf(repository)}">${repository.fullName}</a></li>`
  })
  const apps = world.apps.map((app) => {
    return html`<li><a href="${settingsOf(app.owner)}/apps/${app.slug}">${app.name}</a> of ${app.owner.login}</li>`
  })
  const owners = new Set([world.user, ...world.repositories.map(({ owner }) => owner)])
  const newApps = [...owners].map((owner) => html`<a href="${settingsOf(owner)}/apps/new">${owner.login}</a>`)
  const content = html`<p class="note">This GitHub runs on your machine. Its state is in memory only: it is lost when the
program ends. No request leaves this machine, except the deliveries to webhooks with another address.</p>
<h2>Repositories</h2>
${listOr(repositories, 'There are no repositories.')}
<h2>GitHub Apps</h2>
${listOr(apps, 'There are no Apps.')}
<p>New GitHub App of: ${newApps}</p>
<h2>Use it</h2>
<p>Create an App for the handlers of hooks.ts, and run them:</p>
<pre tabindex="0">${nextCommands(world.origin, world.repositories[0]?.owner).join('\n')}</pre>
<p>The API is at <code>${world.api}</code>. Its routes are in hookserver's guide to testing.</p>`
  return page(200, 'Overview', content)
}

/** A list, or a sentence if the list is empty. */
export const listOr = (items: readonly Html[], empty: string): Html =>
  items.length > 0 ? html`<ul>${items}</ul>` : html`<p>${empty}</p>`
