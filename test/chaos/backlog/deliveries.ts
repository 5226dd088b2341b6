import { postgres } from '../../../src/postgres/index.ts'
import type { Random } from '../../campaign/random.ts'

/** A delivery, and its place among the deliveries of its repository. */
export interface Stored {
  guid: string
  repository: string
  /** Counted from 0 in order of receipt. */
  position: number
}

/** The stored deliveries of many repositories. The deliveries of one repository are stored one after the other. */
export class Backlog {
  readonly byGuid = new Map<string, Stored>()
  /** The GUIDs of each repository, in the order in which they were stored. */
  readonly byRepository = new Map<string, string[]>()
  readonly #random: Random
  readonly #repositories: readonly string[]
  readonly #chosen: (guid: string) => boolean

  /** @param chosen Whether a delivery may have this GUID. Default: any GUID. */
  constructor(random: Random, repositories: number, chosen: (guid: string) => boolean = () => true) {
    this.#random = random
    this.#chosen = chosen
    this.#repositories = Array.from({ length: repositories }, (_, number) => `octo/repository-${number}`)
  }

  get size(): number {
    return this.byGuid.size
  }

  /** Stores more deliveries, those of different repositories in parallel, so that their ids interleave. */
  async store(url: string, count: number): Promise<void> {
    const inbox = postgres(url)
    const each = Math.ceil(count / this.#repositories.length)
    const storeAll = async (repository: string) => {
      for (let left = each; left > 0; left--) await this.#storeOne(inbox, repository)
    }
    try {
      await Promise.all(this.#repositories.map(storeAll))
    } finally {
      await inbox.close()
    }
  }

  async #storeOne(inbox: ReturnType<typeof postgres>, repository: string): Promise<void> {
    let guid = this.#random.guid()
    while (!this.#chosen(guid)) guid = this.#random.guid()
    const all = this.byRepository.get(repository) ?? []
    this.byRepository.set(repository, all)
    this.byGuid.set(guid, { guid, repository, position: all.push(guid) - 1 })
    const body = JSON.stringify({ ref: 'refs/heads/main', guid, repository: { full_name: repository } })
    await inbox.store({
      ...{ source: '/hooks', hookId: '1', guid, event: 'push', form: 'json', body: new TextEncoder().encode(body) },
      ...{ headers: {}, address: undefined, receivedAt: Date.now() },
      ...{ secretId: undefined, secretIndex: 0, algorithm: 'sha256' },
    })
  }
}
