import { type FSWatcher, statSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import { versionOf } from '../../server/config/watch-secrets.ts'

/** Milliseconds from an event to the comparison, because a save or a switch of the branch causes many events. */
const delayMs = 100

/** The watch of a folder. */
interface Watch {
  /** Differs after another folder has replaced this one, which ends the watch. */
  id: string
  /** `undefined` if the system has refused the watch. */
  watcher: FSWatcher | undefined
}

/**
 * Watches files, which need not exist. It watches their folders, because the watch of a file ends when an editor
 * replaces the file, or when a switch of the branch deletes it. After an event, it compares the versions of all files.
 * So it needs no details of the event, which depend on the operating system.
 */
export class FileWatcher {
  readonly #versions = new Map<string, string>()
  readonly #folders = new Map<string, Watch>()
  readonly #onChange: (path: string) => void
  readonly #onError: (error: Error) => void
  #timer: NodeJS.Timeout | undefined

  /**
   * @param onChange Gets one of the files that have changed.
   * @param onError Gets the reason why changes in a folder cannot be noticed.
   */
  constructor(onChange: (path: string) => void, onError: (error: Error) => void) {
    this.#onChange = onChange
    this.#onError = onError
  }

  /** Watches a file. @param version The version that the reader of the file knows. A different one is a change. */
  add(path: string, version: string = versionOf(path)): void {
    this.#versions.set(path, version)
    this.#watchFolder(dirname(path))
    if (versionOf(path) !== version) this.#compareSoon()
  }

  /** Regards the current version of every file as known. */
  reset(): void {
    for (const path of this.#versions.keys()) this.#versions.set(path, versionOf(path))
  }

  close(): void {
    clearTimeout(this.#timer)
    for (const { watcher } of this.#folders.values()) watcher?.close()
  }

  #compareSoon(): void {
    this.#timer ??= setTimeout(() => this.#compare(), delayMs)
  }

  #compare(): void {
    this.#timer = undefined
    // Before the comparison, so that each later change causes an event: a folder may be new.
    for (const path of this.#versions.keys()) this.#watchFolder(dirname(path))
    const [changed] = [...this.#versions].find(([path, version]) => versionOf(path) !== version) ?? []
    if (changed !== undefined) this.#onChange(changed)
  }

  #watchFolder(path: string): void {
    const { folder, id } = nearestFolder(path)
    const current = this.#folders.get(folder)
    if (current?.id === id) return
    current?.watcher?.close()
    this.#folders.set(folder, { id, watcher: this.#start(folder) })
  }

  #start(folder: string): FSWatcher | undefined {
    try {
      const watcher = watch(folder, () => this.#compareSoon())
      return watcher.on('error', () => this.#compareSoon()) // Windows: the folder was deleted
    } catch (error) {
      this.#onError(error as Error)
      return undefined
    }
  }
}

/** The folder, or if it does not exist, the nearest folder above it, and the `id` of its watch. */
function nearestFolder(folder: string): { folder: string; id: string } {
  try {
    const { dev, ino } = statSync(folder)
    return { folder, id: `${dev} ${ino}` }
  } catch (error) {
    const above = dirname(folder)
    if (above === folder) throw error
    return nearestFolder(above)
  }
}
