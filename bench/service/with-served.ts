import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Served } from '../../scripts/served.ts'
import { bench } from '../delivery.ts'

/** The settings of a benchmark server. There is no origin check: the loopback address is not in GitHub's ranges. */
export const settingsOf = (args: readonly string[]) => ({
  args: [...args, '--validate-ip', 'false'],
  env: { GITHUB_WEBHOOKS_KEY: bench.secret },
})

/** Measures a server with a folder of its own, then stops the server and deletes the folder. */
export async function withServed(args: readonly string[], work: (served: Served, folder: string) => Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-bench-'))
  try {
    const served = await Served.start(folder, settingsOf(args))
    try {
      await work(served, folder)
    } finally {
      await served.stop()
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
