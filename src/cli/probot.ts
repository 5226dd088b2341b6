import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { importApp } from '../probot/app-module.ts'
import {
  argumentsOf,
  environmentWith,
  type ReceiveFlags,
  type RunFlags,
  receiveFlags,
  runFlags,
} from '../probot/command-line.ts'
import { isMissingPackage } from '../runtime/platform.ts'
import { moduleError } from '../server/config/module-error.ts'
import { failedImportOf, followImports } from '../server/config/module-imports.ts'
import { addEnvFileFlags } from './env-file-flags.ts'
import { UsageError } from './flags.ts'
import { abortOnSignal } from './output.ts'

export function addProbot(program: Command, helpCommand: readonly [string, string]): void {
  const command = program
    .command('probot')
    .helpCommand(...helpCommand)
    .summary('Run a Probot app as Probot does, without an inbox')
    .description(
      'Takes the commands, flags and variables of Probot. It stores no deliveries: use hookserver serve in production.',
    )
  const run = command
    .command('run <modules...>')
    .summary('Receive deliveries, and run the handlers of Probot apps before the reply')
    .description('Receives deliveries, and runs the handlers of Probot apps before the reply.')
  addFlags(run, runFlags).addHelpText('after', runExamples).action(runApps)
  const receive = command
    .command('receive <module>')
    .summary('Run the handlers of a Probot app for a payload in a file')
    .description('Runs the handlers of a Probot app for a payload in a file, and waits for them.')
  addFlags(receive, receiveFlags).addHelpText('after', receiveExamples).action(receiveOne)
}

function addFlags(command: Command, table: typeof runFlags | typeof receiveFlags): Command {
  for (const { flags, variable, help } of Object.values<{ flags: string; variable?: string; help: string }>(table)) {
    command.option(flags, variable === undefined ? help : `${help} [${variable}]`)
  }
  return addEnvFileFlags(command)
}

const runExamples = `
Examples:
  hookserver probot run ./index.js               with APP_ID, PRIVATE_KEY_PATH and WEBHOOK_SECRET
  hookserver probot run --port 4000 ./index.js`

const receiveExamples = `
Examples:
  hookserver probot receive --event push --payload-path push.json ./index.js`

async function runApps(paths: string[], flags: RunFlags): Promise<void> {
  await withProbot(async ({ run }) => {
    const signal = abortOnSignal()
    const server = await run(argumentsOf(paths, flags), { env: process.env })
    if (!signal.aborted) await once(signal, 'abort')
    await server.stop()
  })
  process.exit() // an app may have timers
}

async function receiveOne(path: string, { baseUrl, ...flags }: ReceiveFlags): Promise<void> {
  const env = environmentWith(process.env, flags)
  const { GITHUB_EVENT_NAME: event, GITHUB_EVENT_PATH: payloadPath, GITHUB_TOKEN: token } = env
  if (!event) throw new UsageError('The event is missing: pass --event, or set GITHUB_EVENT_NAME')
  if (!payloadPath) throw new UsageError('The payload is missing: pass --payload-path, or set GITHUB_EVENT_PATH')
  const payload = readPayload(payloadPath)
  const hasApp = env.APP_ID || env.GITHUB_APP_ID
  await withProbot(async ({ createProbot }) => {
    const githubToken = token || (hasApp ? undefined : 'none')
    const overrides = { githubToken, ...(baseUrl && { baseUrl }) }
    const probot = createProbot({ env, overrides, defaults: { logLevel: 'info' } })
    if (githubToken === 'none') {
      probot.log.warn('There is neither a token nor an App: GitHub will reject the requests of the app')
    }
    await probot.load(await importApp(path))
    const [name = ''] = event.split('.', 1)
    await probot.receive({ id: randomUUID(), name, payload })
  })
}

function readPayload(path: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new Error(`Cannot read the payload in ${path}: ${(cause as Error).message}`, { cause })
  }
}

/** @throws {ModuleError} that shows the line of the app that failed. */
async function withProbot(run: (probot: typeof import('../probot/index.ts')) => Promise<void>): Promise<void> {
  followImports()
  try {
    await run(await import('../probot/index.ts')) // here, because it needs the package "octokit"
  } catch (cause) {
    if (isMissingPackage(cause) && failedImportOf(cause as Error)?.specifier === 'octokit') {
      throw new Error('Probot apps need the package "octokit": npm install octokit', { cause })
    }
    throw moduleError('Cannot run the Probot app', firstOf(cause))
  }
}

/** The first error of several handlers, because the log has them all. */
const firstOf = (error: unknown): unknown => (error instanceof AggregateError ? error.errors[0] : error)
