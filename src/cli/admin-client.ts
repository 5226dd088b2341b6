import { randomUUID } from 'node:crypto'
import { errorTable } from '../errors.ts'
import { lookbackLimits } from '../github/lookback.ts'
import type { SweepOptions } from '../github/recovery/options.ts'
import type { Swept } from '../github/recovery/sweeper.ts'
import { withoutSecrets } from '../github/target.ts'
import type { AuditAction, AuditPage, AuditQuery, AuditTarget, NewAuditEntry } from '../inbox/audit-log.ts'
import type {
  FailureGroup,
  FailureGroupDetail,
  FailurePage,
  FailurePlace,
  FailureQuery,
} from '../inbox/failure-groups.ts'
import type { Store } from '../inbox/inbox.ts'
import { newAuditEntry } from '../inbox/new-audit-entry.ts'
import { allHandlers, isPaused } from '../inbox/pauses.ts'
import { hasWorker, type RegisteredProcess } from '../inbox/processes.ts'
import type { Query, Selection } from '../inbox/query/query.ts'
import { searchText, termsOf } from '../inbox/query/search-text.ts'
import type { DeliveryDetail, InboxOverview, Page } from '../inbox/records.ts'
import { sleep } from '../runtime/timer.ts'
import { responseText } from '../runtime/untrusted-text.ts'
import { runSchedule, type ScheduleStatus, scheduleStatuses } from '../schedules/operate.ts'
import { HandlerStatisticsReader } from '../server/api/handler-statistics.ts'
import type { WindowName } from '../server/api/schemas/requests.ts'
import type { Handler } from '../server/api/schemas/responses.ts'
import { commandLineActor } from './command-line-actor.ts'
import { printable, withCauses } from './output.ts'

/** The part of an inbox that the commands use, in a database or through the admin API of a remote server. */
export interface AdminClient extends Pick<Store, 'get' | 'body' | 'overview' | 'processes' | 'close'> {
  retry(selection: Selection, handler?: string): Promise<number>
  discard(selection: Selection, reason: string): Promise<number>
  retryFailures(id: number): Promise<number>
  discardFailures(id: number, reason: string): Promise<number>
  pause(handler: string): Promise<void>
  resume(handler: string): Promise<void>
  list(query: ListQuery): Promise<ListPage>
  /** How far recovery looks back. `undefined` if the remote server is of an earlier version. */
  recoverSince(): Promise<number | undefined>
  /** The handlers that workers have or had, and paused handlers, with their statistics of a window. */
  handlers(window: WindowName): Promise<HandlerStatus[]>
  /** Yields once at the start, and then after changes of deliveries, until the signal aborts. */
  changes(signal: AbortSignal): AsyncIterable<void>
  audit(query: AuditListQuery): Promise<AuditListPage>
  failures(query: FailureListQuery): Promise<FailureListPage>
  failure(id: number): Promise<FailureGroupDetail | undefined>
  schedules(): Promise<ScheduleStatus[]>
  /** Makes a delivery of a schedule now. */
  runSchedule(name: string): Promise<{ id: number; guid: string }>
}

/** A handler, with the members that the command line shows. A remote server returns more. */
export interface HandlerStatus extends Pick<Handler, 'name' | 'paused' | 'statistics'> {}

export interface ListQuery extends Omit<Query, 'before'> {
  /** The member `next` of the page before. */
  cursor?: string | undefined
}

export interface ListPage extends Omit<Page, 'next'> {
  next?: string | undefined
}

export interface AuditListQuery extends Omit<AuditQuery, 'before'> {
  /** The member `next` of the page before. */
  cursor?: string | undefined
}

interface AuditListPage extends Omit<AuditPage, 'next'> {
  next?: string | undefined
}

interface FailureListQuery extends Omit<FailureQuery, 'after'> {
  /** The member `next` of the page before. */
  cursor?: string | undefined
}

interface FailureListPage extends Pick<FailurePage, 'total'> {
  failures: FailureGroup[]
  next?: string | undefined
}

/** Why unfinished deliveries wait, if no process runs handlers. */
export async function missingWorkerNote(client: AdminClient): Promise<string | undefined> {
  if (hasWorker(await client.processes())) return undefined
  return 'No process runs handlers, so unfinished deliveries wait, and those that are new have no repository and title yet'
}

/** The inbox in a database. Its operations write the audit log. */
export const localAdminClient = (inbox: Store): AdminClient => ({
  async list({ cursor, ...query }) {
    const { next, ...page } = await inbox.list({ ...query, before: cursor === undefined ? undefined : Number(cursor) })
    return { ...page, next: next?.toString() }
  },
  handlers: (window) => handlersIn(inbox, window),
  changes: (signal) => changesIn(inbox, signal),
  async failures({ cursor, ...query }) {
    const after: FailurePlace | undefined = cursor === undefined ? undefined : JSON.parse(cursor)
    const { groups, next, total } = await inbox.failureGroups({ ...query, after }, Date.now())
    return { failures: groups, total, next: next && JSON.stringify(next) }
  },
  failure: (id) => inbox.failureGroup(id, Date.now()),
  async audit({ cursor, ...query }) {
    const { entries, next } = await inbox.auditEntries({
      ...query,
      before: cursor === undefined ? undefined : Number(cursor),
    })
    return { entries, next: next?.toString() }
  },
  async retryFailures(id) {
    return inbox.retryFailures(id, entryOf('retry', await failureTarget(inbox, id)))
  },
  async discardFailures(id, reason) {
    const target = { ...(await failureTarget(inbox, id)), reason }
    return inbox.discardFailures(id, reason, entryOf('discard', target))
  },
  get: (id) => inbox.get(id),
  body: (id) => inbox.body(id),
  recoverSince: async () => (await lookbackLimits(inbox)).recoverSince,
  retry: (selection, handler) => {
    return inbox.retry(selection, { handler, entry: entryOf('retry', { ...selectionTarget(selection), handler }) })
  },
  discard: (selection, reason) => {
    return inbox.discard(selection, reason, entryOf('discard', { ...selectionTarget(selection), reason }))
  },
  pause: (handler) => inbox.pause(handler, entryOf('pause', { handler })),
  resume: (handler) => inbox.resume(handler, entryOf('resume', { handler })),
  overview: () => inbox.overview(),
  processes: () => inbox.processes(),
  schedules: () => scheduleStatuses(inbox),
  async runSchedule(name) {
    const made = await runSchedule(inbox, name)
    await inbox.recordAction(entryOf('run schedule', { schedule: name }), { count: 1, deliveries: [made.id] })
    return made
  },
  close: () => inbox.close(),
})

async function handlersIn(inbox: Store, window: WindowName): Promise<HandlerStatus[]> {
  const [{ handlers, paused }, statistics] = await Promise.all([
    inbox.overview(),
    HandlerStatisticsReader.read(inbox, window, Date.now()),
  ])
  const names = new Set([...handlers, ...paused].filter((name) => name !== allHandlers))
  const pauses = new Set(paused)
  return [...names].map((name) => {
    return { name, paused: isPaused(pauses, name), statistics: statistics.statisticsOf(name) }
  })
}

const entryOf = (action: AuditAction, target: AuditTarget): NewAuditEntry =>
  newAuditEntry(commandLineActor(), action, target)

const selectionTarget = (selection: Selection): AuditTarget =>
  'query' in selection ? { search: searchText(selection.query) } : {}

const failureTarget = async (inbox: Store, id: number): Promise<AuditTarget> => {
  return { failureGroup: id, handler: (await inbox.failureGroup(id, Date.now()))?.handler }
}

/** Milliseconds between two polls of a database, and at least between two changes of a remote server. */
const pollMs = 250

async function* changesIn(inbox: Store, signal: AbortSignal): AsyncGenerator<void> {
  let { position } = await inbox.changes()
  yield
  for (;;) {
    await sleep(pollMs, signal, { keepAlive: true })
    if (signal.aborted) return
    const changes = await inbox.changes(position)
    position = changes.position
    if (changes.deliveries.length > 0 || changes.gap) yield
  }
}

const timeoutMs = 60_000
/** Milliseconds between the end of a stream and the next one. */
const reconnectMs = 2000
/** Enough for a page of 500 deliveries, or for one delivery with the logs of all its attempts. */
const maxJsonBytes = 64 * 1024 * 1024

/** The inbox of a remote server. */
export interface RemoteAdminClient extends AdminClient {
  /** Has no timeout, because a sweep may take long: by default, it requests only one redelivery a second. */
  recover(options: SweepOptions): Promise<Swept>
}

/**
 * The inbox of a remote server, through its admin API.
 * @param name Names the server in messages.
 */
export function remoteAdminClient(url: string, token: string, name: string): RemoteAdminClient {
  async function send(
    method: string,
    path: string,
    body?: object,
    end: AbortSignal | null = AbortSignal.timeout(timeoutMs),
  ): Promise<Response> {
    const headers = { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) }
    const content = body ? JSON.stringify(body) : null
    try {
      return await fetch(`${url}/api/v1${path}`, { method, headers, body: content, redirect: 'manual', signal: end })
    } catch (cause) {
      throw new Error(`Cannot reach ${name}: ${withCauses(cause)}`) // without the cause, which the text has already
    }
  }

  async function requireOk(response: Response): Promise<Response> {
    const location = URL.parse(response.headers.get('location') ?? '', response.url)
    if (response.status >= 300 && response.status < 400 && location) {
      const target = withoutSecrets(location.href)
      const cure = 'pass a URL that leads to the admin listener without a redirect'
      throw new Error(`${name} answered ${response.status}, a redirect to ${target}: ${cure}`)
    }
    const isPage = /^text\/html\b/.test(response.headers.get('content-type') ?? '') // such as that of a login
    if (response.ok && !isPage) return response
    const problem = await problemOf(response)
    const detail =
      (isOfReceiver(problem) ? undefined : problem?.detail) ??
      'check that this is the URL of the admin listener, which has another port than the receiver, 8001 by default'
    throw new Error(`${name} answered ${response.status}: ${detail}`)
  }

  /** @returns `undefined` if the server answers `not_found`. */
  async function find(path: string): Promise<Response | undefined> {
    const response = await send('GET', path)
    const problem = response.status === 404 ? await problemOf(response.clone()) : undefined
    const isMissing = problem?.code === 'not_found' && !isOfReceiver(problem)
    return isMissing ? undefined : requireOk(response)
  }

  /** The server ends a stream after an hour, and when it stops. A stream that begins again starts with `ready`. */
  async function* changes(signal: AbortSignal): AsyncGenerator<void> {
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      const end = new AbortController()
      try {
        const ends = AbortSignal.any([signal, end.signal])
        yield* changesOf(await requireOk(await send('GET', '/stream', undefined, ends)), signal)
      } catch (error) {
        if (signal.aborted) return
        if (isFirst) throw error
        console.error(`hookserver: ${printable(withCauses(error))}. Trying again every ${reconnectMs / 1000} s`)
      } finally {
        end.abort()
      }
      await sleep(reconnectMs, signal, { keepAlive: true })
    }
  }

  const get = async <Answer>(path: string): Promise<Answer> => jsonOf(await requireOk(await send('GET', path)))
  const post = async (path: string, body: object): Promise<Response> => requireOk(await send('POST', path, body))

  /** Changes deliveries. The server answers after some seconds, although it may not have changed all. */
  async function change(path: string, body: object): Promise<number> {
    let sum = 0
    let cursor: string | undefined
    do {
      const answer = await jsonOf<{ count: number; next?: string }>(await post(path, { ...body, cursor }))
      sum += answer.count
      cursor = answer.next
    } while (cursor !== undefined)
    return sum
  }

  async function setPaused(handler: string, act: 'pause' | 'resume'): Promise<void> {
    if (handler === allHandlers) await post(`/handlers/${act}`, { all: true })
    else await post(`/handlers/${encodeURIComponent(handler)}/${act}`, {})
  }

  return {
    list: (query) => get<ListPage>(`/deliveries?${parametersOf(fieldsOf(query))}`),
    handlers: async (window) => (await get<{ handlers: HandlerStatus[] }>(`/handlers?window=${window}`)).handlers,
    changes,
    async get(id) {
      const response = await find(`/deliveries/${id}`)
      return response && jsonOf<DeliveryDetail>(response)
    },
    audit: (query) => get<AuditListPage>(`/audit?${parametersOf(query)}`),
    failures: (query) => get<FailureListPage>(`/failures?${parametersOf(query)}`),
    async failure(id) {
      const response = await find(`/failures/${id}`)
      return response && jsonOf<FailureGroupDetail>(response)
    },
    retryFailures: (id) => change(`/failures/${id}/retry`, {}),
    discardFailures: (id, reason) => change(`/failures/${id}/discard`, { reason }),
    body: async (id) => (await find(`/deliveries/${id}/body`))?.bytes(),
    overview: () => get<InboxOverview>('/stats'),
    recoverSince: async () => (await get<{ recoverSince?: number }>('/stats')).recoverSince,
    processes: async () => (await get<{ processes: RegisteredProcess[] }>('/processes')).processes,
    retry: (selection, handler) => {
      return change('/deliveries/retry', { ...selectionOf(selection), handler, operationId: randomUUID() })
    },
    discard: (selection, reason) => {
      return change('/deliveries/discard', { ...selectionOf(selection), reason, operationId: randomUUID() })
    },
    schedules: async () => (await get<{ schedules: ScheduleStatus[] }>('/schedules')).schedules,
    runSchedule: async (name) => jsonOf(await post(`/schedules/${encodeURIComponent(name)}/run`, {})),
    pause: (handler) => setPaused(handler, 'pause'),
    resume: (handler) => setPaused(handler, 'resume'),
    async recover(options) {
      const response = await requireOk(await send('POST', '/recovery/sweeps', options, null))
      try {
        return await jsonOf<Swept>(response)
      } catch (cause) {
        throw new Error(`${name} did not send the result of the sweep: ${withCauses(cause)}`, { cause })
      }
    },
    async close() {},
  }
}

/** Yields once for all events that arrive together, or while the caller handles earlier ones. */
async function* changesOf(stream: Response, signal: AbortSignal): AsyncGenerator<void> {
  let next = Promise.withResolvers<boolean>()
  const reading = (async () => {
    for await (const event of eventsOf(stream)) if (event !== '') next.resolve(true)
    return false
  })()
  while (await Promise.race([next.promise, reading])) {
    next = Promise.withResolvers()
    yield
    await sleep(pollMs, signal, { keepAlive: true })
  }
}

/** The names of the events of a stream, and an empty text for each comment. */
async function* eventsOf({ body }: Response): AsyncGenerator<string> {
  let text = ''
  for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const blocks = (text + chunk).split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) yield /^event: (.*)$/m.exec(block)?.[1] ?? ''
  }
}

/** Leaves out parameters without a value. */
function parametersOf(fields: object): URLSearchParams {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined)
  return new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]))
}

const selectionOf = (selection: Selection): object =>
  'ids' in selection ? selection : { query: fieldsOf(selection.query) }

/**
 * The filters of the API. All other conditions become the parameter `q`. `budget` is left out, because the server sets its
 * own.
 */
function fieldsOf({ words, paths, where, budget: _, ...filters }: ListQuery): Record<string, string | number> {
  const q = termsOf({ words, paths, where })
  const fields = Object.entries({ ...filters, q: q || undefined })
  return Object.fromEntries(fields.filter((field): field is [string, string | number] => field[1] !== undefined))
}

/** The problem in an answer (RFC 9457). `undefined` if the answer has none, as from another kind of server. */
async function problemOf(response: Response): Promise<{ code?: string; detail?: string } | undefined> {
  if (!response.headers.get('content-type')?.startsWith('application/problem+json')) return undefined
  return jsonOf<{ code?: string; detail?: string }>(response).catch(() => undefined)
}

/** Whether the receiver has sent the problem, and not the admin API, which names what does not exist. */
const isOfReceiver = (problem: { detail?: string } | undefined): boolean => problem?.detail === errorTable.not_found[1]

const jsonOf = async <Answer>(response: Response): Promise<Answer> =>
  JSON.parse(await responseText(response, maxJsonBytes))
