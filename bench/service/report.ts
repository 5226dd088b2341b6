import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reportAcks } from '../acks.ts'
import { reportCrowd } from './crowd.ts'
import { reportFilled } from './filled.ts'
import { reportRoles } from './roles.ts'

/** Prints the cost of `hookserver serve` next to the library, and its limits. */
export async function reportService(options: { rounds: number; seconds: number }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-bench-'))
  try {
    console.log('\nThe same push to a process of its own: stored, committed and fsynced before the answer')
    await reportAcks(['hookserver serve, receiver', 'hookserver serve, all'], options)
    await reportCrowd()
    await reportFilled(folder)
    await reportRoles()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
