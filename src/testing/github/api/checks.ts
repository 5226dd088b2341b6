import { isObject, type Json, objectIn, textIn, wholeNumberIn } from '../../../runtime/json.ts'
import { timestamp } from '../clock.ts'
import { paged } from '../http/paging.ts'
import { created, HttpError, invalid, notFound, ok, type Reply } from '../http/reply.ts'
import { type Call, numberOf } from '../http/route.ts'
import { sendAction } from '../sending/action-event.ts'
import { appShape } from '../shapes/app.ts'
import { repositoryUrl } from '../shapes/repository.ts'
import { nodeId } from '../shapes/user.ts'
import { isSha } from '../world/branches.ts'
import type { Repository } from '../world/repository.ts'
import type { Annotation, CheckRun } from '../world/repository-content.ts'
import type { World } from '../world/world.ts'
import { type Author, authorIn, repositoryIn } from './author.ts'

/**
 * Lists the check runs of a commit, newest first: of each App and name only the latest one, unless `filter` is `all`. The
 * `ref` must be the SHA of the commit.
 */
export function listCheckRuns(call: Call): Reply {
  const { world, url, parameters } = call
  const repository = repositoryIn(call)
  const [name, app] = [url.searchParams.get('check_name'), url.searchParams.get('app_id')]
  const found = [...world.contentOf(repository).checkRuns.values()].filter(
    (run) =>
      run.headSha === parameters.ref &&
      (name === null || run.name === name) &&
      (app === null || String(run.app.id) === app),
  )
  const latest = new Map(found.map((run) => [`${run.app.id} ${run.name}`, run]))
  const all = found.filter((run) => {
    return url.searchParams.get('filter') === 'all' || latest.get(`${run.app.id} ${run.name}`) === run
  })
  return paged(url, all.toReversed(), (some) => ({
    ...{ total_count: all.length, check_runs: some.map((run) => checkRunShape(world, repository, run)) },
  }))
}

export const getCheckRun = (call: Call): Reply => ok(checkRunShape(call.world, repositoryIn(call), runIn(call)))

export function listAnnotations(call: Call): Reply {
  const { world, url } = call
  const [repository, run] = [repositoryIn(call), runIn(call)]
  const page = `${world.origin}/${repository.fullName}/blob/${run.headSha}`
  return paged(url, run.annotations, (some) =>
    some.map((one) => ({ ...one, blob_href: `${page}/${encodeURI(one.path)}` })),
  )
}

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
  checkOutput(call.body, 'title', 'summary')
  const run: CheckRun = {
    ...{ id: world.newId(), app, name, headSha, status: 'queued', conclusion: null, detailsUrl: null },
    ...{ externalId: '', startedAt: timestamp(now), completedAt: null },
    ...{ output: { title: null, summary: null, text: null }, annotations: [] },
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
  checkOutput(call.body, 'summary')
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

/** @throws {HttpError} with GitHub's messages, if a text of the output is missing or too long. */
function checkOutput(body: Json, ...required: string[]): void {
  const output = objectIn(body, 'output')
  const missing = output && required.find((name) => textIn(output, name) === undefined)
  if (missing !== undefined) throw new HttpError(422, `Invalid request.\n\n"${missing}" wasn't supplied.`)
  for (const name of ['summary', 'text']) {
    const { length } = textIn(output, name) ?? ''
    if (length <= maxTextLength) continue
    throw new HttpError(
      422,
      `Invalid request.\n\nOnly ${maxTextLength} characters are allowed; ${length} were supplied.`,
    )
  }
}

/** The number of characters that GitHub accepts in the summary and in the text of a run. */
const maxTextLength = 65_535

/** Changes a run as the body says. A conclusion completes the run. A completed run stays completed, as on GitHub. */
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
    annotations: [...run.annotations, ...annotationsIn(output)],
  })
}

/** The annotations in a request, which GitHub adds to those of the run. */
function annotationsIn(output: Json | undefined): Annotation[] {
  const given: unknown = output?.annotations ?? []
  if (Array.isArray(given) && given.length > maxAnnotations) {
    const problem = `No more than ${maxAnnotations} items are allowed; ${given.length} were supplied.`
    throw new HttpError(422, `Invalid request.\n\n${problem}`)
  }
  if (!Array.isArray(given) || !given.every(isAnnotation)) {
    throw invalid('CheckRun', 'annotations', 'invalid')
  }
  return given.map((one) => ({
    ...{ path: one.path, start_line: one.start_line, end_line: one.end_line, message: one.message },
    ...{ start_column: one.start_column ?? null, end_column: one.end_column ?? null },
    ...{ annotation_level: one.annotation_level, title: one.title ?? null, raw_details: one.raw_details ?? null },
  }))
}

/** The number of annotations that GitHub accepts in one request. */
const maxAnnotations = 50

/** In bytes: the size of a message, and of the details, of an annotation. Its title may have 255 characters. */
const maxNoteBytes = 64 * 1024
const maxTitleLength = 255

/** GitHub documents these limits. That it rejects an annotation beyond them is an assumption. */
function isAnnotation(value: unknown): value is Annotation {
  if (!isObject(value)) return false
  const hasColumns = ['start_column', 'end_column'].some((name) => wholeNumberIn(value, name) !== undefined)
  if (hasColumns && value.start_line !== value.end_line) return false
  if ((textIn(value, 'title') ?? '').length > maxTitleLength) return false
  if (['message', 'raw_details'].some((name) => Buffer.byteLength(textIn(value, name) ?? '') > maxNoteBytes))
    return false
  const hasTexts = ['path', 'message'].every((name) => textIn(value, name) !== undefined)
  const hasLines = ['start_line', 'end_line'].every((name) => wholeNumberIn(value, name) !== undefined)
  return hasTexts && hasLines && ['notice', 'warning', 'failure'].includes(textIn(value, 'annotation_level') ?? '')
}

function send(author: Author, run: CheckRun, action: 'created' | 'completed'): void {
  sendAction(author, `check_run.${action}`, { check_run: checkRunShape(author.world, author.repository, run) })
}

function checkRunShape(world: World, repository: Repository, run: CheckRun): object {
  const { id, app, name, headSha, status, conclusion, detailsUrl, externalId, startedAt, completedAt } = run
  const output = { ...run.output, annotations_count: run.annotations.length }
  const url = `${repositoryUrl(world, repository)}/check-runs/${id}`
  const page = `${world.origin}/${repository.fullName}/runs/${id}`
  return {
    ...{ id, node_id: nodeId('CheckRun', id), name, head_sha: headSha, url, html_url: page },
    ...{ details_url: detailsUrl ?? page, external_id: externalId, status, conclusion },
    ...{ started_at: startedAt, completed_at: completedAt },
    output: { ...output, annotations_url: `${url}/annotations` },
    ...{ check_suite: { id: app.id }, app: appShape(world, app), pull_requests: [] },
  }
}
