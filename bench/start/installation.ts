import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installPackage, measureInstallation } from '../../scripts/installation.ts'
import { recordGoal } from '../goals.ts'

/** Prints the number and the size of the packages that `npm install hookserver` installs. */
export function reportInstallation(): void {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-installation-'))
  try {
    installPackage(folder)
    const { packages, megabytes } = measureInstallation(folder)
    console.log(`\nInstallation of hookserver: ${packages} packages, ${megabytes.toFixed(1)} MB`)
    recordGoal('packages', packages)
    recordGoal('megabytes', megabytes)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
