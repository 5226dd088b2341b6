import { getOrCreate } from '../runtime/get-or-create.ts'
import type { Settings } from '../settings.ts'
import { functionSource, GithubRanges, type RangesSource } from './github-ranges.ts'

/** The ranges of the mounts of a `Hooks`. Mounts with the same source share one list, and so fetch it once. */
export class SharedRanges {
  /** By source: the function of the option `ranges`, or the API address and the token. */
  readonly #ranges = new Map<unknown, GithubRanges>()

  /**
   * The ranges of a mount. If they come from GitHub and the mount has an inbox, the inbox keeps the latest list after
   * the process has ended.
   */
  of({ ranges, apiUrl, token, inbox, logger }: Settings): GithubRanges {
    if (typeof ranges === 'function') {
      return getOrCreate(this.#ranges, ranges, () => new GithubRanges(functionSource(ranges), logger))
    }
    const source: RangesSource = async (etag) => {
      const { fetchMeta } = await import('./github-meta.ts')
      return fetchMeta({ apiUrl, token }, etag)
    }
    const shared = getOrCreate(this.#ranges, `${apiUrl} ${token ?? ''}`, () => new GithubRanges(source, logger))
    const key = `ranges of ${apiUrl}`
    if (inbox) shared.useCache({ load: () => inbox.getValue(key), save: (text) => inbox.setValue(key, text) })
    return shared
  }
}
