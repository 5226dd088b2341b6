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

/** The stores of `npm run test:simulate`. PostgreSQL is slow to start, so it is used only if it is asked for. */
export const allStoreNames = [...storeNames, 'postgres'] as const

/** Starts an empty store. `close` deletes it. */
export async function startStore(name: (typeof allStoreNames)[number]): Promise<SimulatedStore> {
  if (name !== 'postgres') return openStore(name)
  await import('./in-thread.ts')
  const { PostgresStore } = await import('./postgres.ts')
  return PostgresStore.start()
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
