import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reportFilled } from './filled.ts'
import { reportManyClients } from './many-clients.ts'
import { reportRoles } from './roles.ts'

/** Measures `hookserver serve` with many clients, with many stored deliveries, and with a blocked worker. */
export async function reportService(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-bench-'))
  try {
    await reportManyClients()
    await reportFilled(folder)
    await reportRoles()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
