/** A real Chromium, which npm brought; where npm has none for the system, the one that `CHROME_PATH` names. */
import packed from '@sparticuz/chromium'
import { type Browser, chromium } from 'playwright-core'

/** Unpacks it, once on a machine: two that did so at a time would run half of it. */
export async function setup(): Promise<void> {
  await executable()
}

export async function launch(flags: readonly string[] = []): Promise<Browser> {
  // With the safety that people have, which the package's own flags would take away; root needs `--no-sandbox`.
  const args = ['--no-sandbox', '--disable-dev-shm-usage', ...flags]
  return chromium.launch({ executablePath: await executable(), args })
}

const executable = async (): Promise<string> => process.env.CHROME_PATH ?? (await packed.executablePath())
