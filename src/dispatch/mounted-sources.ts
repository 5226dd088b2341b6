import type { Registration } from '../handler.ts'
import type { Settings } from '../settings.ts'
import type { Logger } from '../telemetry/logger.ts'

const list = (sources: Iterable<string>): string => [...sources].map((source) => JSON.stringify(source)).join(', ')

/**
 * The sources of the mounts of a `Hooks`. It warns once about each mount whose deliveries the `Hooks` does not handle,
 * and about each handler that gets the deliveries of no mount. These are warnings and not errors, because another
 * process may use the same inbox.
 */
export class MountedSources {
  readonly #mounted = new Set<string>()
  /** The sources and the names of handlers that a warning has named. */
  readonly #warned = { sources: new Set<string>(), handlers: new Set<string>() }
  readonly #ownSources: readonly string[]
  #logger: Logger | undefined

  /** @param ownSources The sources of the deliveries that hookserver itself makes. */
  constructor(ownSources: readonly string[]) {
    this.#ownSources = ownSources
  }

  add({ source, logger }: Pick<Settings, 'source' | 'logger'>): void {
    if (this.#ownSources.includes(source)) return
    this.#mounted.add(source)
    this.#logger ??= logger
  }

  /** Checks the mounts when a worker starts that handles the deliveries of `sources`. */
  checkMounts({ sources, logger }: Pick<Settings, 'sources' | 'logger'>): void {
    if (!sources) return
    for (const source of this.#mounted) {
      if (sources.includes(source) || this.#warned.sources.has(source)) continue
      this.#warned.sources.add(source)
      logger.warn(
        { source, sources },
        `This process stores the deliveries of the mount "${source}", and does not handle them: ` +
          `add "${source}" to the option "sources", unless another process handles them`,
      )
    }
  }

  /** Checks a handler that did not get a delivery because of its option `source`. By then, all mounts should exist. */
  checkHandler({ name, options }: Registration): void {
    if (this.#mounted.size === 0 || this.#warned.handlers.has(name)) return
    const sources = [options.source ?? []].flat()
    if (sources.some((source) => this.#mounted.has(source) || this.#ownSources.includes(source))) return
    this.#warned.handlers.add(name)
    this.#logger?.warn(
      { handler: name, sources, mounted: [...this.#mounted] },
      `The handler ${name} has the source ${list(sources)}, but the mounts of this process have ${list(this.#mounted)}: ` +
        'correct the option "source" of the handler, unless another process or a later mount receives its deliveries',
    )
  }
}
