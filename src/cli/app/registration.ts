/** The first half of `app create`: from the form on loopback to the App's variables in the file. */
import { randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { convertCode, type RegisteredApp } from '../../github/app/conversion.ts'
import { setWebhookSecret } from '../../github/app/details.ts'
import { startTimer, untilAborted } from '../../runtime/timer.ts'
import type { EnvFile } from '../../server/config/env-file.ts'
import { randomSecret } from '../../server/config/secret-files.ts'
import { printProgress } from '../output.ts'
import { variablesFor, writeApp } from './app-variables.ts'
import { openInBrowser } from './browser.ts'
import { type GitHubAddresses, requesterFor } from './connection.ts'
import type { RegistrationOptions, RegistrationServer } from './registration-server.ts'

/** The progress of the command, for the message after a failure or Ctrl-C. */
export interface CreateProgress {
  app?: RegisteredApp
  /** Whether the file has the App's variables. */
  written: boolean
  /** Whether an account has installed the App. */
  installed?: boolean
}

interface Registration extends Pick<RegistrationOptions, 'organization' | 'manifest' | 'notes' | 'skipsForm'> {
  addresses: GitHubAddresses
  /** The file to write. */
  output: string
  /** The variables in `output` before the command, if the file existed. */
  envFile: EnvFile | undefined
  opensBrowser: boolean
  progress: CreateProgress
  signal: AbortSignal
  /** Whether stdout is for JSON only. */
  json?: boolean | undefined
}

/** Milliseconds for the whole registration, because GitHub ends the manifest flow after an hour. */
const timeLimit = 60 * 60_000

/**
 * Waits until the user has registered the App, and writes its variables.
 * @param limit Milliseconds after which the registration has failed.
 * @throws {Error} that says what to do.
 */
export async function registerApp(registration: Registration, limit: number = timeLimit): Promise<RegisteredApp> {
  const { addresses, organization, manifest, notes, skipsForm, output, opensBrowser, progress, signal, envFile, json } =
    registration
  const { RegistrationServer } = await import('./registration-server.ts') // other commands do not need a server
  const openingFile = resolve(`${output}.${randomBytes(6).toString('hex')}.html`)
  const reported = new Set<string>()
  const server = await RegistrationServer.start({
    ...{ github: addresses.github, organization, manifest, notes, skipsForm },
    register: async (code) => `${(await keepApp(code, registration)).page}/installations/new`,
    onRejected(reason) {
      if (!reported.has(reason)) console.error(`hookserver: ${reason}`) // once, because any page can send requests
      reported.add(reason)
    },
  })
  const { promise: tooLate, reject } = Promise.withResolvers<never>()
  const stopTimer = startTimer(() => reject(new Error(lateText)), limit)
  try {
    const lines = [
      'Open this page in a browser on this machine. It leads to GitHub, and back to this command:',
      `  ${server.address}`,
      'Waiting for the App. If you close the page, open it again; Ctrl-C ends the command.',
    ]
    await printProgress(lines, json)
    if (opensBrowser) await openPage(server, openingFile, envFile)
    await untilAborted(signal, () => Promise.race([server.ended, tooLate]))
    return progress.app as RegisteredApp
  } finally {
    stopTimer()
    rmSync(openingFile, { force: true })
    await server.close()
  }
}

/**
 * Opens the form in the browser. Other users of the machine see the arguments of the browser, which must not contain the
 * secret address. So the browser gets a file that only this user can read, and the file sends it to the address. The
 * file is next to the env file, because browsers in a sandbox, such as those of Snap, cannot read `/tmp`.
 */
async function openPage(server: RegistrationServer, file: string, envFile: EnvFile | undefined): Promise<void> {
  writeFileSync(file, await server.openingPage(), { mode: 0o600, flag: 'wx' })
  openInBrowser(file, { envFile })
}

const lateText = 'The App was not registered within an hour, which is the limit of GitHub: start again'

/**
 * Exchanges the code, and then writes the App's variables before anything else can fail, because GitHub shows the key
 * only once.
 */
async function keepApp(code: string, registration: Registration): Promise<RegisteredApp> {
  const { addresses, output, progress, signal } = registration
  const { apiUrl, variables } = addresses
  const { app, webhookSecret } = await writeApp(output, async () => {
    const app = await convertCode(code, { apiUrl, signal })
    progress.app = app
    const webhookSecret = app.webhookSecret ?? randomSecret()
    return { app, webhookSecret, variables: { ...variablesFor({ ...app, webhookSecret }), ...variables } }
  })
  progress.written = true
  if (app.webhookSecret === undefined) await setWebhookSecret(requesterFor(app, apiUrl, signal), webhookSecret)
  return app
}
