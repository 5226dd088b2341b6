/** A real Chromium: the one that `CHROME_PATH` names, or else the one from npm, which does not support every system. */
import packed from '@sparticuz/chromium'
import type { Browser } from 'playwright-core'

/** Unpacks Chromium once for all test processes: one of them could run the incomplete file of another. */
export async function setup(): Promise<void> {
  process.env.CHROME_PATH = await executable()
}

export async function launch(flags: readonly string[] = []): Promise<Browser> {
  // Without the package's own flags, which disable web security. The root user needs --no-sandbox. Pages share a
  // process, because each process starts slowly.
  const args = ['--no-sandbox', '--disable-dev-shm-usage', '--renderer-process-limit=1', ...flags]
  const { chromium } = await import('playwright-core') // here, because every run of Vitest loads this file
  return chromium.launch({ executablePath: await executable(), args })
}

let shared: Promise<Browser> | undefined

/**
 * The browser of all test files of this process. Close the contexts that you create, and not the browser. A test opens a
 * page for a second or less, which is too short for optimized machine code to pay: with the optimizing compilers, the
 * pages of two test files took 9.6 s of CPU, and 8.1 s without them.
 */
export function sharedBrowser(): Promise<Browser> {
  shared ??= launch(['--js-flags=--no-opt --no-maglev --min-semi-space-size=16'])
  return shared
}

const executable = async (): Promise<string> => process.env.CHROME_PATH ?? (await packed.executablePath())
