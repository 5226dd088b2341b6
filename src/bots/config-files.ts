/** Reads files of repositories, and keeps them with their ETags: an unchanged file costs no rate limit and no transfer. */
import { configRequest, maxConfigLength } from '../runtime/config-file.ts'
import type { BotOctokit } from './context.ts'
import type { RepositoryTarget } from './targets.ts'

interface CachedFile {
  etag: string
  text: string
}

/** With `maxConfigLength`, the cache takes at most 16 MB of memory for Latin text, and 32 MB for other text. */
const maxFiles = 256

/**
 * The files that this process has read, the least recently used first. A file of a private repository does not leak to
 * another App: each read asks GitHub with the credentials of the reader.
 */
const cache = new Map<string, CachedFile>()

/** A file in the default branch. @returns `undefined` if the file or the repository does not exist. */
export async function readFile(
  octokit: BotOctokit,
  { owner, repo }: RepositoryTarget,
  path: string,
): Promise<string | undefined> {
  const key = `${baseUrlOf(octokit)} ${`${owner}/${repo}`.toLowerCase()} ${path}`
  const cached = cache.get(key)
  cache.delete(key)
  const headers = { accept: 'application/vnd.github.raw+json', ...(cached && { 'if-none-match': cached.etag }) }
  try {
    const parameters = { owner, repo, path, headers, request: configRequest(octokit) }
    const response = await octokit.request('GET /repos/{owner}/{repo}/contents/{path}', parameters)
    const text = textOf(response.data)
    const etag = response.headers.etag
    if (text !== undefined && typeof etag === 'string') keep(key, { etag, text })
    return text
  } catch (error) {
    const { status } = error as { status?: unknown }
    if (status === 404) return undefined
    if (status !== 304 || !cached) throw error
    keep(key, cached)
    return cached.text
  }
}

function keep(key: string, file: CachedFile): void {
  if (file.text.length > maxConfigLength) return
  cache.set(key, file)
  for (const oldest of cache.keys()) {
    if (cache.size <= maxFiles) return
    cache.delete(oldest)
  }
}

/** The content of a file. Of a folder, GitHub sends a list: then `undefined`. */
function textOf(data: unknown): string | undefined {
  if (typeof data === 'string') return data
  return data instanceof ArrayBuffer ? new TextDecoder().decode(data) : undefined
}

/** Distinguishes github.com from Enterprise Servers. */
function baseUrlOf({ request }: BotOctokit): string {
  const { endpoint } = request as { endpoint?: { DEFAULTS?: { baseUrl?: string } } }
  return endpoint?.DEFAULTS?.baseUrl ?? ''
}
