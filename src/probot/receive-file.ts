import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ReceiveFlags, Variables } from './command-line.ts'
import { Probot } from './probot.ts'
import { importApp, readFlags } from './run.ts'

/**
 * Calls the handlers of an app for a payload in a file, and waits for them: the command `probot receive`.
 * @throws {Error} (rejects) if the event or the payload is missing, or if a handler fails.
 */
export async function receiveFile(path: string, flags: ReceiveFlags, given: Variables): Promise<void> {
  const { env, options } = readFlags(flags, given)
  const { GITHUB_EVENT_NAME: event, GITHUB_EVENT_PATH: payloadPath, GITHUB_TOKEN: token } = env
  if (!event) throw new Error('The event is missing: pass --event, or set GITHUB_EVENT_NAME')
  if (!payloadPath) throw new Error('The payload is missing: pass --payload-path, or set GITHUB_EVENT_PATH')
  const payload = readPayload(payloadPath)
  const hasCredentials = token || (options.appId && options.privateKey)
  const probot = new Probot({ ...options, githubToken: hasCredentials ? token : 'none' })
  if (!hasCredentials)
    probot.log.warn('There is neither a token nor an App: GitHub will reject the requests of the app')
  await probot.load(await importApp(path))
  const [name = ''] = event.split('.', 1)
  await probot.receive({ id: randomUUID(), name, payload })
}

function readPayload(path: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new Error(`Cannot read the payload in ${path}: ${(cause as Error).message}`, { cause })
  }
}
