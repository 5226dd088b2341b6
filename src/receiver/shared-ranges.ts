import { getOrCreate } from '../runtime/get-or-create.ts'
import type { Settings } from '../settings.ts'
import { functionSource, GithubRanges, type RangesSource } from './github-ranges.ts'

/** The part of the capability `KeyValues` of an inbox that keeps a list of ranges. */
interface KeyValues {
  getValue(key: string): Promise<string | undefined>
  setValue(key: string, text: string): Promise<void>
}

/** The ranges of the mounts of a `Hooks`. Mounts with the same source share one list, and so fetch it once. */
export class SharedRanges {
  /** By source: the function of the option `ranges`, or the API address and the token. */
  readonly #ranges = new Map<unknown, GithubRanges>()

  /**
   * The ranges of a mount.
   * @param store Keeps the latest list of GitHub after the process has ended. Default: nothing keeps it.
   */
  of({ ranges, apiUrl, token, logger }: Settings, store?: KeyValues): GithubRanges {
    if (typeof ranges === 'function') {
      return getOrCreate(this.#ranges, ranges, () => new GithubRanges(functionSource(ranges), logger))
    }
    const source: RangesSource = async (etag) => {
      const { fetchMeta } = await import('./github-meta.ts')
      return fetchMeta({ apiUrl, token }, etag)
    }
    const shared = getOrCreate(this.#ranges, `${apiUrl} ${token ?? ''}`, () => new GithubRanges(source, logger))
    const key = `ranges of ${apiUrl}`
    if (store) shared.useCache({ load: () => store.getValue(key), save: (text) => store.setValue(key, text) })
    return shared
  }
}
