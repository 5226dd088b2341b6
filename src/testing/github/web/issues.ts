import type { Json } from '../../../runtime/json.ts'
import type { Reply } from '../http/reply.ts'
import { defaultBranch, statusOf } from '../world/branches.ts'
import type { Repository } from '../world/repository.ts'
import type { Issue, Pull } from '../world/repository-content.ts'
import { repositoryLinks } from './code.ts'
import { type Html, html, missingPage, page, redirect, table } from './html.ts'
import { isDone, pathOf, problemIn, repositoryIn, type Visit } from './visit.ts'

/** All issues of a repository, newest first, and a form for a new one. */
export function showIssues(visit: Visit, failed?: Reply): Reply {
  const repository = repositoryIn(visit)
  const issues = allOf(visit, repository).filter(({ pull }) => !pull)
  const content = html`${repositoryLinks(visit, repository)}
${listOf(issues, 'There are no issues.')}
<h2>New issue</h2>
${failed && problemIn(failed)}
<form method="post" action="${pathOf(repository)}/issues">
${titleAndBody(visit)}
<button>Open issue</button>
</form>`
  return page(failed?.status ?? 200, `Issues of ${repository.fullName}`, content)
}

export function openIssue(visit: Visit): Reply {
  const repository = repositoryIn(visit)
  const reply = visit.request(`POST /repos${pathOf(repository)}/issues`, draftIn(visit))
  return isDone(reply) ? redirect(`${pathOf(repository)}/issues/${numberIn(reply)}`) : showIssues(visit, reply)
}

/** All pull requests of a repository, newest first, and a form for a new one. */
export function showPulls(visit: Visit, failed?: Reply): Reply {
  const repository = repositoryIn(visit)
  const pulls = allOf(visit, repository).filter(({ pull }) => pull)
  const content = html`${repositoryLinks(visit, repository)}
${listOf(pulls, 'There are no pull requests.')}
<h2>New pull request</h2>
${failed && problemIn(failed)}
${pullForm(visit, repository)}`
  return page(failed?.status ?? 200, `Pull requests of ${repository.fullName}`, content)
}

function pullForm(visit: Visit, repository: Repository): Html {
  const { names } = visit.world.contentOf(repository).branches
  const heads = names.filter((name) => name !== defaultBranch)
  const root = pathOf(repository)
  if (heads.length === 0)
    return html`<p>There is only the branch ${defaultBranch}. <a href="${root}">Commit a file</a> to a new branch first.</p>`
  const options = (list: readonly string[]) => list.map((name) => html`<option>${name}</option>`)
  return html`<form method="post" action="${root}/pulls">
${titleAndBody(visit)}
<label>From the branch <select name="head">${options(heads.toReversed())}</select></label>
<label>Into the branch <select name="base">${options(names)}</select></label>
<button>Open pull request</button>
</form>`
}

export function openPull(visit: Visit): Reply {
  const repository = repositoryIn(visit)
  const [head, base] = [visit.form.get('head'), visit.form.get('base')]
  const reply = visit.request(`POST /repos${pathOf(repository)}/pulls`, { ...draftIn(visit), head, base })
  return isDone(reply) ? redirect(`${pathOf(repository)}/pull/${numberIn(reply)}`) : showPulls(visit, reply)
}

/** An issue or a pull request, with its comments and forms that change it. */
export function showIssue(visit: Visit, failed?: Reply): Reply {
  const issue = issueIn(visit)
  if (!issue) return missingPage()
  if (visit.url.pathname !== addressOf(issue)) return redirect(addressOf(issue))
  const { title, number, user, body, createdAt } = issue
  const comments = [...visit.world.contentOf(issue.repository).comments.values()].filter((one) => one.issue === issue)
  const content = html`${repositoryLinks(visit, issue.repository)}
<p>${stateOf(issue)}${issue.pull ? ` · ${issue.pull.head.ref} into ${issue.pull.base.ref}` : ''}</p>
${failed && problemIn(failed)}
${written(user.login, createdAt, body ?? '')}
${comments.map((one) => written(one.user.login, one.createdAt, one.body, `issuecomment-${one.id}`))}
${issue.pull && pullPart(visit, issue, issue.pull)}
<h2>Comment</h2>
${form(
  issue,
  html`<label>Text <textarea name="body"></textarea></label>
<button name="action" value="comment">Comment</button>
${stateButton(issue)}`,
)}
<h2>Labels</h2>
${labelForms(issue)}`
  return page(failed?.status ?? 200, `${title} #${number}`, content)
}

const stateOf = ({ state, pull }: Issue): string => {
  if (pull?.merge) return 'Merged'
  if (pull?.draft && state === 'open') return 'Draft'
  return state === 'open' ? 'Open' : 'Closed'
}

const written = (login: string, at: number, text: string, id = 'description'): Html =>
  html`<article id="${id}"><h2>${login}, ${timeOf(at)}</h2><pre class="text">${text}</pre></article>`

const stateButton = ({ state, pull }: Issue): Html | undefined => {
  if (pull?.merge) return undefined
  return state === 'open'
    ? html`<button name="action" value="close">Close</button>`
    : html`<button name="action" value="reopen">Reopen</button>`
}

const form = (issue: Issue, fields: Html): Html =>
  html`<form method="post" action="${addressOf(issue)}">${fields}</form>`

function labelForms(issue: Issue): Html {
  const removers = issue.labels.map(({ name }) =>
    form(
      issue,
      html`<input type="hidden" name="label" value="${name}"><span class="label">${name}</span>
<button name="action" value="remove-label" aria-label="Remove the label ${name}">Remove</button>`,
    ),
  )
  const adder = html`<div class="row"><label>Label <input name="label" required></label>
<button name="action" value="add-label">Add label</button></div>`
  return html`${removers}${form(issue, adder)}`
}

function pullPart({ world }: Visit, issue: Issue, pull: Pull): Html {
  const { commits, files } = world.contentOf(issue.repository).changesOf(pull)
  const commitItems = commits.map(({ sha, message }) => html`<li><code>${sha.slice(0, 7)}</code> ${message}</li>`)
  const fileItems = files.map((file) => html`<li>${file.path} (${statusOf(file)})</li>`)
  const reviews = pull.reviews.map(({ user, state, body, submittedAt }) =>
    written(`${user.login}: ${state.toLowerCase().replace('_', ' ')}`, submittedAt, body),
  )
  const merge = html`<button name="action" value="merge">Merge pull request</button>`
  return html`${reviews}
<h2>Commits</h2><ul>${commitItems}</ul>
<h2>Files</h2><ul>${fileItems}</ul>
${issue.state === 'open' ? form(issue, merge) : undefined}`
}

/** The requests to the API that the buttons of the page send. */
const actions: Readonly<Record<string, (visit: Visit, issue: string, pull: string) => Reply>> = {
  comment: (visit, issue) => visit.request(`POST ${issue}/comments`, { body: textOf(visit, 'body') }),
  close: (visit, issue) => visit.request(`PATCH ${issue}`, { state: 'closed' }),
  reopen: (visit, issue) => visit.request(`PATCH ${issue}`, { state: 'open' }),
  'add-label': (visit, issue) => visit.request(`POST ${issue}/labels`, { labels: [visit.form.get('label')] }),
  'remove-label': (visit, issue) =>
    visit.request(`DELETE ${issue}/labels/${encodeURIComponent(visit.form.get('label') ?? '')}`),
  merge: (visit, _, pull) => visit.request(`PUT ${pull}/merge`),
}

export function changeIssue(visit: Visit): Reply {
  const issue = issueIn(visit)
  const name = visit.form.get('action') ?? ''
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined
  if (!issue || !action) return missingPage()
  const root = `/repos${pathOf(issue.repository)}`
  const reply = action(visit, `${root}/issues/${issue.number}`, `${root}/pulls/${issue.number}`)
  return isDone(reply) ? redirect(addressOf(issue)) : showIssue(visit, reply)
}

const allOf = ({ world }: Visit, repository: Repository): Issue[] =>
  [...world.contentOf(repository).issues.values()].toSorted((one, other) => other.number - one.number)

function listOf(issues: readonly Issue[], empty: string): Html {
  if (issues.length === 0) return html`<p>${empty}</p>`
  const rows = issues.map((issue) => {
    const labels = issue.labels.map(({ name }) => html`<span class="label">${name}</span>`)
    return [
      ...[String(issue.number), html`<a href="${addressOf(issue)}">${issue.title}</a> ${labels}`],
      ...[stateOf(issue), issue.user.login],
    ]
  })
  return table(['Number', 'Title', 'State', 'Author'], rows)
}

const titleAndBody = ({ form }: Visit): Html =>
  html`<label>Title <input name="title" value="${form.get('title') ?? ''}" required></label>
<label>Description <textarea name="body">
${form.get('body') ?? ''}</textarea></label>`

const draftIn = (visit: Visit): Json => ({ title: visit.form.get('title'), body: textOf(visit, 'body') })

/** A text of several lines. Browsers send the line breaks of forms as CR LF. */
const textOf = ({ form }: Visit, name: string): string => (form.get(name) ?? '').replaceAll('\r\n', '\n')

const issueIn = (visit: Visit): Issue | undefined =>
  visit.world.contentOf(repositoryIn(visit)).issues.get(Number(visit.parameters.issue_number))

const addressOf = ({ repository, number, pull }: Issue): string =>
  `${pathOf(repository)}/${pull ? 'pull' : 'issues'}/${number}`

const numberIn = ({ body }: Reply): number => (body as { number: number }).number

/** For people: `2026-01-31 12:00:00 UTC`. */
export const timeOf = (at: number): string =>
  new Date(at)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z/, ' UTC')
