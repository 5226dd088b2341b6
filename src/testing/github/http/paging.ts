import { ok, type Reply } from './reply.ts'

/** `per_page`: 30 by default, 100 at most. */
export function pageSize({ searchParams }: URL): number {
  const requested = Number(searchParams.get('per_page') ?? 30)
  return Number.isInteger(requested) && requested > 0 ? Math.min(requested, 100) : 30
}

/** Answers with the page that `page` names. @param body Makes the answer from the items of the page. */
export function paged<T>(url: URL, items: readonly T[], body: (items: readonly T[]) => unknown): Reply {
  const size = pageSize(url)
  const page = Math.max(1, Math.trunc(Number(url.searchParams.get('page') ?? 1)) || 1)
  const last = Math.max(1, Math.ceil(items.length / size))
  const others: [rel: string, page: number][] = []
  if (page > 1) others.push(['prev', page - 1], ['first', 1])
  if (page < last) others.push(['next', page + 1], ['last', last])
  const links = others.map(([rel, number]) => link(url, 'page', String(number), rel))
  return ok(body(items.slice((page - 1) * size, page * size)), links.length > 0 ? { link: links.join(', ') } : {})
}

/** One link of a `Link` header: the same request with one parameter changed. */
export function link(url: URL, parameter: string, value: string, rel: string): string {
  const target = new URL(url)
  target.searchParams.set(parameter, value)
  return `<${target}>; rel="${rel}"`
}
