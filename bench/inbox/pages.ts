import { parseQuery, type Query } from 'hookserver'
import type { Store } from 'hookserver/store'
import { median } from '../statistics.ts'
import { table } from '../table.ts'

/** The queries to measure, by their names in the report. Some match many deliveries, others match few or none. */
const queries: Record<string, Query> = {
  'no filter': {},
  'no filter, in the middle': { before: 500_000 },
  'state:dead': { state: 'dead' },
  'state:done': { state: 'done' },
  'state:running': { state: 'running' },
  'event:issues': { event: 'issues' },
  'event:issues state:dead': { event: 'issues', state: 'dead' },
  'repository:acme/repository-7': { repository: 'acme/repository-7' },
  'guid:first': { guid: 'first' },
  'sender:octocat-5': { sender: 'octocat-5' },
  '#77': parseQuery('#77'),
  'https://github.com/acme/repository-7/issues/77': parseQuery('https://github.com/acme/repository-7/issues/77'),
  'repo:acme/repository-1*': parseQuery('repo:acme/repository-1*'),
  'org:acme (500 repositories)': parseQuery('org:acme'),
  'event:pull_req*': parseQuery('event:pull_req*'),
  'state:dead,retrying': parseQuery('state:dead,retrying'),
  'error:cause': parseQuery('error:cause'),
  'error:rare': parseQuery('error:rare'),
  'error:nowhere': parseQuery('error:nowhere'),
  'error:777777, one page': parseQuery('error:777777'),
  'duration:>5s': parseQuery('duration:>5s'),
  'duration:>1h': parseQuery('duration:>1h'),
  'a word that every title has': { words: ['title'] },
  'a word that no delivery has, one page': { words: ['nowhere'] },
  'path:value over payloads, one page': { paths: [{ path: ['pusher', 'name'], value: 'unknown' }] },
}

/** The other lists of an inbox, by their names in the report. Each returns the number of its items. */
const lists: Record<string, (inbox: Store) => Promise<number>> = {
  'the failure groups': async (inbox) => (await inbox.failureGroups({}, Date.now())).groups.length,
  'a failure group': async (inbox) => ((await inbox.failureGroup(150, Date.now())) ? 1 : 0),
  'the latest failure of each handler': async (inbox) => (await inbox.failures()).length,
  'the overview': async (inbox) => (await inbox.overview()).states.done,
  'the counts of a day over time': async (inbox) =>
    (await inbox.timeCounts({ query: { since: Date.now() - 86_400_000 }, step: 3_600_000 })).counts.length,
}

export interface PageTime {
  name: string
  ms: number
  worst: number
  found: number
  /**
   * Only for the query `a word that no delivery has, one page`: how many seconds and pages this query takes to search
   * all deliveries. A page ends when its time is up, even if the search has found nothing.
   */
  whole?: { seconds: number; pages: number }
}

/** The milliseconds that an inbox takes to open and to list one delivery, and the times of its pages. */
export async function pageTimes(openInbox: () => Store): Promise<{ open: number; pages: PageTime[] }> {
  const began = performance.now()
  const inbox = openInbox()
  await inbox.list({ limit: 1 })
  const open = performance.now() - began
  const pages: PageTime[] = []
  const list = (query: Query) => async () => (await inbox.list(query)).deliveries.length
  const reads = [
    ...Object.entries(queries).map(([name, query]) => [name, list(query)] as const),
    ...Object.entries(lists).map(([name, read]) => [name, () => read(inbox)] as const),
  ]
  for (const [name, read] of reads) {
    const times: number[] = []
    let found = 0
    for (let round = 0; round < 15; round++) {
      const start = performance.now()
      found = await read()
      times.push(performance.now() - start)
    }
    pages.push({ name, ms: median(times), worst: Math.max(...times), found })
  }
  const start = performance.now()
  let count = 0
  for (let before: number | undefined = Number.MAX_SAFE_INTEGER; before !== undefined; count++) {
    before = (await inbox.list({ words: ['nowhere'], before })).next
  }
  const last = pages.find(({ name }) => name.startsWith('a word that no'))
  if (last) last.whole = { seconds: (performance.now() - start) / 1000, pages: count }
  await inbox.close()
  return { open, pages }
}

export function showPages(pages: readonly PageTime[]): string {
  const rows = pages.map(({ name, ms, worst, found, whole }) => [
    name,
    ...[ms.toFixed(1), worst.toFixed(1), String(found)],
    whole ? `${whole.seconds.toFixed(1)} s in ${whole.pages} pages` : '',
  ])
  return table(['page', 'median ms', 'worst ms', 'found', 'to the end'], rows)
}
