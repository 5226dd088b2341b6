import { type Json, objectIn, textIn } from '../../../runtime/json.ts'
import { timestamp } from '../clock.ts'
import { paged } from '../http/paging.ts'
import { created, HttpError, invalid, notFound, ok, type Reply } from '../http/reply.ts'
import { type Call, numberOf } from '../http/route.ts'
import { sendAction } from '../sending/action-event.ts'
import { appShape } from '../shapes/app.ts'
import { repositoryUrl } from '../shapes/repository.ts'
import { nodeId } from '../shapes/user.ts'
import type { Repository } from '../world/repository.ts'
import { type CheckRun, isSha } from '../world/repository-content.ts'
import type { World } from '../world/world.ts'
import { type Author, authorIn, repositoryIn } from './author.ts'

/** Lists the check runs of a commit, newest first. The `ref` must be the SHA of the commit. */
export function listCheckRuns(call: Call): Reply {
  const { world, url, parameters } = call
  const repository = repositoryIn(call)
  const name = url.searchParams.get('check_name')
  const all = [...world.contentOf(repository).checkRuns.values()].filter(
    (run) => run.headSha === parameters.ref && (name === null || run.name === name),
  )
  return paged(url, all.toReversed(), (some) => ({
    ...{ total_count: all.length, check_runs: some.map((run) => checkRunShape(world, repository, run)) },
  }))
}

export const getCheckRun = (call: Call): Reply => ok(checkRunShape(call.world, repositoryIn(call), runIn(call)))

/** Only an App can create a check run. */
export function createCheckRun(call: Call): Reply {
  const [name, headSha] = [textIn(call.body, 'name'), textIn(call.body, 'head_sha')]
  if (!name) throw invalid('CheckRun', 'name', 'missing_field')
  if (!headSha) throw invalid('CheckRun', 'head_sha', 'missing_field')
  const author = authorIn(call)
  const { world, repository, content, app, now } = author
  if (!app) throw new HttpError(403, 'You must authenticate via a GitHub App.')
  // GitHub sends this text if it does not have the commit. That it also does so for an abbreviation is an assumption.
  if (!isSha(headSha)) throw new HttpError(422, `No commit found for SHA: ${headSha}`)
  const run: CheckRun = {
    ...{ id: world.newId(), app, name, headSha, status: 'queued', conclusion: null, detailsUrl: null },
    ...{ externalId: '', startedAt: timestamp(now), completedAt: null },
    output: { title: null, summary: null, text: null },
  }
  change(author, run, call.body)
  content.checkRuns.set(run.id, run)
  send(author, run, run.status === 'completed' ? 'completed' : 'created')
  return created(checkRunShape(world, repository, run))
}

export function updateCheckRun(call: Call): Reply {
  const [author, run] = [authorIn(call), runIn(call)]
  if (author.app !== run.app)
    throw new HttpError(
      403,
      'Invalid app_id `undefined` - check run can only be modified by the GitHub App that created it.',
    )
  const wasCompleted = run.status === 'completed'
  change(author, run, call.body)
  if (run.status === 'completed' && !wasCompleted) send(author, run, 'completed')
  return ok(checkRunShape(author.world, author.repository, run))
}

function runIn(call: Call): CheckRun {
  const run = call.world.contentOf(repositoryIn(call)).checkRuns.get(numberOf(call, 'check_run_id'))
  if (!run) throw notFound()
  return run
}

/** Changes a run as the body says. A conclusion completes the run. */
function change({ now }: Author, run: CheckRun, body: Json): void {
  const output = objectIn(body, 'output')
  const conclusion = textIn(body, 'conclusion') ?? run.conclusion
  const status = conclusion === null ? (textIn(body, 'status') ?? run.status) : 'completed'
  if (status === 'completed' && conclusion === null) throw invalid('CheckRun', 'conclusion', 'missing_field')
  const completedAt = textIn(body, 'completed_at') ?? run.completedAt ?? timestamp(now)
  Object.assign(run, {
    ...{ name: textIn(body, 'name') ?? run.name, status, conclusion },
    completedAt: status === 'completed' ? completedAt : null,
    startedAt: textIn(body, 'started_at') ?? run.startedAt,
    detailsUrl: textIn(body, 'details_url') ?? run.detailsUrl,
    externalId: textIn(body, 'external_id') ?? run.externalId,
    output: {
      title: textIn(output, 'title') ?? run.output.title,
      summary: textIn(output, 'summary') ?? run.output.summary,
      text: textIn(output, 'text') ?? run.output.text,
    },
  })
}

function send(author: Author, run: CheckRun, action: 'created' | 'completed'): void {
  sendAction(author, `check_run.${action}`, { check_run: checkRunShape(author.world, author.repository, run) })
}

function checkRunShape(world: World, repository: Repository, run: CheckRun): object {
  const { id, app, name, headSha, status, conclusion, detailsUrl, externalId, startedAt, completedAt, output } = run
  const url = `${repositoryUrl(world, repository)}/check-runs/${id}`
  const page = `${world.origin}/${repository.fullName}/runs/${id}`
  return {
    ...{ id, node_id: nodeId('CheckRun', id), name, head_sha: headSha, url, html_url: page },
    ...{ details_url: detailsUrl ?? page, external_id: externalId, status, conclusion },
    ...{ started_at: startedAt, completed_at: completedAt },
    output: { ...output, annotations_count: 0, annotations_url: `${url}/annotations` },
    ...{ check_suite: { id: app.id }, app: appShape(world, app), pull_requests: [] },
  }
}
