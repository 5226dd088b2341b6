import type { LocalGitHubRequest } from '../options.ts'
import { HttpError } from './reply.ts'

/** GitHub's versions, newest first. Requests without a version get the oldest. */
const versions = ['2026-03-10', '2022-11-28'] as const

/**
 * The header that names the version of the answer. A request names its version in `X-GitHub-Api-Version`.
 * @throws {HttpError} for an unknown version. 400 is documented, and the text is one that GitHub has sent. It is an
 *   assumption that such a request does not count against the rate limit. Enterprise Servers that know only 2022-11-28 are
 *   not simulated.
 */
export function versionHeaders({
  'x-github-api-version': given,
}: LocalGitHubRequest['headers']): Record<string, string> {
  const [newest, oldest] = versions
  const version = versions.find((known) => known === (given ?? oldest))
  if (version) return { 'x-github-api-version-selected': version }
  const errors =
    `The version you specified in the "X-GitHub-API-Version" request header, "${given}", is not a supported version. ` +
    `The following versions are currently supported: "${newest}" (most recent) and "${oldest}".`
  throw new HttpError(400, 'Bad Request', { errors })
}
