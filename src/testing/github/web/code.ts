import type { Reply } from '../http/reply.ts'
import { blobSha, defaultBranch } from '../world/branches.ts'
import type { Repository } from '../world/repository.ts'
import { type Html, html, missingPage, page, redirect, table } from './html.ts'
import { isDone, pathOf, problemIn, repositoryIn, type Visit } from './visit.ts'

/** The links that every page of a repository has. */
export function repositoryLinks({ world }: Visit, repository: Repository): Html {
  const root = pathOf(repository)
  const open = [...world.contentOf(repository).issues.values()].filter(({ state }) => state === 'open')
  const pulls = open.filter(({ pull }) => pull).length
  return html`<nav aria-label="Repository"><ul>
<li><a href="${root}">Code</a></li>
<li><a href="${root}/issues">Issues (${open.length - pulls})</a></li>
<li><a href="${root}/pulls">Pull requests (${pulls})</a></li>
<li><a href="${root}/settings/hooks">Webhooks</a></li>
</ul></nav>`
}

interface Draft {
  path: string
  content: string
  branch: string
  message: string
}

/** The files and commits of a branch, and a form that commits a file. */
export function showCode(visit: Visit, draft: Partial<Draft> = {}, failed?: Reply): Reply {
  const repository = repositoryIn(visit)
  const { branches } = visit.world.contentOf(repository)
  const branch = draft.branch ?? visit.url.searchParams.get('branch') ?? defaultBranch
  const links = branches.names.map((name) => {
    return html`<li><a href="${pathOf(repository)}?branch=${encodeURIComponent(name)}">${name}</a></li>`
  })
  const files = [...branches.files(branch).keys()].map((path) => {
    return html`<li><a href="${fileAddress(repository, branch, path)}">${path}</a></li>`
  })
  const commits = branches.commits(branch).toReversed()
  const rows = commits.map(({ sha, message, author }) => {
    return [html`<code>${sha.slice(0, 7)}</code>`, message.split('\n')[0] ?? '', author.login]
  })
  const content = html`${repositoryLinks(visit, repository)}
<h2>Branches</h2><ul>${links}</ul>
<h2>Files of ${branch}</h2>
${files.length > 0 ? html`<ul>${files}</ul>` : html`<p>This branch has no files.</p>`}
<h2>Commit a file</h2>
${failed && problemIn(failed)}
${commitForm(repository, { branch, ...draft })}
<h2>Commits of ${branch}</h2>
${rows.length > 0 ? table(['Commit', 'Message', 'Author'], rows) : html`<p>This branch has no commits.</p>`}`
  return page(failed?.status ?? 200, repository.fullName, content)
}

function commitForm(
  repository: Repository,
  { path = '', content = '', branch = '', message = '' }: Partial<Draft>,
): Html {
  return html`<form method="post" action="${pathOf(repository)}/commits">
<label>Path <input name="path" value="${path}" required></label>
<label>Content <textarea name="content">
${content}</textarea></label>
<label>Branch, which the commit creates if it does not exist <input name="branch" value="${branch}" required></label>
<label>Message <input name="message" value="${message}"></label>
<button>Commit and push</button>
</form>`
}

/** Writes one file, and replaces the content that it has now. */
export function commitFile(visit: Visit): Reply {
  const repository = repositoryIn(visit)
  const field = (name: string) => visit.form.get(name) ?? ''
  const [path, branch] = [field('path').replace(/^\/+/, ''), field('branch').trim() || defaultBranch]
  const content = field('content').replaceAll('\r\n', '\n') // browsers send the line breaks of forms as CR LF
  const existing = visit.world.contentOf(repository).branches.file(path, branch)
  const message = field('message') || `${existing ? 'Update' : 'Create'} ${path}`
  const request = `PUT /repos${pathOf(repository)}/contents/${encodeURIComponent(path)}`
  const encoded = Buffer.from(content).toString('base64')
  const reply = visit.request(request, {
    message,
    content: encoded,
    branch,
    ...(existing && { sha: blobSha(existing) }),
  })
  if (!isDone(reply)) return showCode(visit, { path, content, branch, message }, reply)
  return redirect(`${pathOf(repository)}?branch=${encodeURIComponent(branch)}`)
}

/** A file, and a form that changes it. */
export function showFile(visit: Visit): Reply {
  const repository = repositoryIn(visit)
  const { branch = '', path = '' } = visit.parameters
  const content = visit.world.contentOf(repository).branches.file(path, branch)
  if (!content) return missingPage()
  const text = Buffer.from(content).toString()
  return page(
    200,
    path,
    html`${repositoryLinks(visit, repository)}
<p>On the branch ${branch}</p>
<pre tabindex="0">${text}</pre>
<h2>Change it</h2>
${commitForm(repository, { path, content: text, branch })}`,
  )
}

const fileAddress = (repository: Repository, branch: string, path: string): string =>
  `${pathOf(repository)}/blob/${encodeURIComponent(branch)}/${path.split('/').map(encodeURIComponent).join('/')}`
