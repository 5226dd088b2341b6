import type { Reply } from '../http/reply.ts'
import { sendInstallationEvent } from '../sending/lifecycle-events.ts'
import { settingsOf } from '../shapes/user.ts'
import type { App } from '../world/app.ts'
import type { Account } from '../world/repository.ts'
import { type Html, html, missingPage, page, redirect } from './html.ts'
import { accountIn, type Visit } from './visit.ts'

/** Lets the user choose an account and its repositories. */
export function chooseRepositories(visit: Visit): Reply {
  const app = appIn(visit)
  if (!app) return missingPage()
  return page(200, `Install ${app.name}`, form(visit, app), { formsLeave: true })
}

/** Installs the App, and sends the browser to its setup URL or to the page of the installation. */
export function install(visit: Visit): Reply {
  const { world, sender, form: fields } = visit
  const app = appIn(visit)
  if (!app) return missingPage()
  const account = targetsOf(visit, app).find(({ login }) => login === fields.get('account'))
  if (!account) return missingPage()
  const existing = app.installations.find((one) => one.account === account)
  if (existing) return redirect(`${settingsOf(account)}/installations/${existing.id}`)
  const names = fields.getAll('repository')
  const all = world.repositoriesOf({ account, repositories: undefined })
  const selected = fields.get('selection') === 'selected'
  const chosen = all.map(({ fullName }) => fullName).filter((name) => names.includes(name))
  if (selected && chosen.length === 0)
    return page(422, `Install ${app.name}`, form(visit, app, 'Select at least one repository.'), { formsLeave: true })
  const repositories = selected && { repositories: chosen }
  const installation = world.install(app, { account: account.login, ...repositories })
  void sendInstallationEvent({ world, sender }, app, installation, 'created')
  if (app.setupUrl === undefined) return redirect(`${settingsOf(account)}/installations/${installation.id}`)
  const target = new URL(app.setupUrl)
  target.searchParams.set('installation_id', String(installation.id))
  target.searchParams.set('setup_action', 'install')
  return redirect(target)
}

/** Says that an App is installed, and where. */
export function showInstallation(visit: Visit): Reply {
  const { world, parameters } = visit
  const id = Number(parameters.installation_id)
  const app = world.apps.find(({ installations }) => installations.some((one) => one.id === id))
  const found = app?.installations.find((one) => one.id === id && one.account === accountIn(visit))
  if (!app || !found) return missingPage()
  const repositories = world.repositoriesOf(found).map(({ fullName }) => html`<li>${fullName}</li>`)
  const content = html`<p>${app.name} is installed on the account ${found.account.login}.</p>
<h2>Repository access</h2><p>${found.repositories ? 'Only select repositories' : 'All repositories'}</p>
<ul>${repositories}</ul>`
  return page(200, app.name, content)
}

/** The App that the path names. */
const appIn = ({ world, parameters }: Visit): App | undefined => world.apps.find(({ slug }) => slug === parameters.slug)

/** The accounts on which the user may install an App: the App's owner first, and no other if the App is private. */
function targetsOf({ world }: Visit, app: App): Account[] {
  const others = world.accounts.filter((account) => account !== app.owner)
  return app.public ? [app.owner, ...others] : [app.owner]
}

function form(visit: Visit, app: App, problem?: string): Html {
  const { world } = visit
  const alert = problem === undefined ? undefined : html`<p role="alert">${problem}</p>`
  const targets = targetsOf(visit, app)
  const accounts = targets.map(({ login }) => html`<option>${login}</option>`)
  const repositories = targets.flatMap((account) => world.repositoriesOf({ account, repositories: undefined }))
  const choices = repositories.map(({ fullName }) => {
    return html`<label><input type="checkbox" name="repository" value="${fullName}"> ${fullName}</label>`
  })
  return html`<form method="post" action="/apps/${app.slug}/installations">
<label>Account <select name="account">${accounts}</select></label>
<label><input type="radio" name="selection" value="all" checked> All repositories</label>
<label><input type="radio" name="selection" value="selected"> Only select repositories</label>
<fieldset><legend>Repositories</legend>${choices}</fieldset>
${alert}
<button>Install</button>
</form>`
}
