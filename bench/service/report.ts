import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reportCrowd } from './crowd.ts'
import { reportFilled } from './filled.ts'
import { reportRoles } from './roles.ts'

/** Prints how `hookserver serve` answers among many clients, with many deliveries, and beside a blocked worker. */
export async function reportService(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-bench-'))
  try {
    await reportCrowd()
    await reportFilled(folder)
    await reportRoles()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
