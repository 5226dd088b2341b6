/** The stores that can be simulated. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ModelStore } from './model/store.ts'
import { SqliteStore } from './sqlite.ts'
import type { SimulatedStore } from './store.ts'

export const storeNames = ['model', 'sqlite'] as const
export type StoreName = (typeof storeNames)[number]

/** Opens an empty store. `close` deletes it. */
export function openStore(name: StoreName): SimulatedStore {
  return name === 'model' ? new ModelStore() : new TemporarySqliteStore()
}

class TemporarySqliteStore extends SqliteStore {
  readonly #folder: string

  constructor() {
    const folder = mkdtempSync(join(tmpdir(), 'hookserver-simulation-'))
    super(join(folder, 'inbox.db'))
    this.#folder = folder
  }

  override close(): void {
    super.close()
    rmSync(this.#folder, { recursive: true })
  }
}
