import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqlite } from 'hookserver/sqlite'
import { Served } from '../../scripts/served.ts'
import { launch } from '../../test/browser/chromium.ts'
import { fillFile } from '../inbox/filled-file.ts'
import { settingsOf } from '../service/with-served.ts'
import { reportFlood } from './flood.ts'
import { waitedTable } from './judged.ts'
import { largePayload } from './large-payload.ts'
import { timeScreens } from './screens.ts'

const hooks = join(import.meta.dirname, '..', 'service', 'hooks.ts')

/** Prints the response times of the page in a real Chromium, with many stored deliveries and while many arrive. */
export async function reportDashboard(stored: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-bench-'))
  try {
    const file = join(folder, 'hookserver.db')
    await fillFile(file, stored)
    const largest = await storeLargest(file)
    const served = await Served.start(folder, settingsOf([hooks]))
    const browser = await launch()
    try {
      console.log(
        `\nThe dashboard in Chromium ${browser.version()}, with ${stored.toLocaleString('en')} deliveries stored`,
      )
      console.log(waitedTable(await timeScreens(browser, served, largest)))
      await reportFlood(browser, served)
    } finally {
      await browser.close()
      await served.stop()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @returns the id of a delivery of the maximum size. */
async function storeLargest(file: string): Promise<number> {
  const inbox = sqlite(file)
  const { id } = await inbox.store({
    ...{ source: '/hooks', hookId: '1', guid: 'largest', event: 'push', headers: {}, body: largePayload() },
    ...{ form: 'json', address: undefined, receivedAt: Date.now() },
    ...{ secretId: undefined, secretIndex: 0, algorithm: 'sha256' },
  })
  await inbox.close()
  return id
}
