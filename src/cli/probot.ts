import { once } from 'node:events'
import type { Command } from 'commander'
import { type ReceiveFlags, type RunFlags, receiveFlags, runFlags } from '../probot/command-line.ts'
import { isMissingPackage } from '../runtime/platform.ts'
import { moduleError } from '../server/config/module-error.ts'
import { failedImportOf, followImports } from '../server/config/module-imports.ts'
import { addEnvFileFlags } from './env-file-flags.ts'
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
  await withProbot(async () => {
    const { runFiles } = await import('../probot/run.ts')
    const signal = abortOnSignal()
    const server = await runFiles(paths, flags, { env: process.env })
    if (!signal.aborted) await once(signal, 'abort')
    await server.stop()
  })
  process.exit() // an app may have timers
}

async function receiveOne(path: string, flags: ReceiveFlags): Promise<void> {
  await withProbot(async () => {
    const { receiveFile } = await import('../probot/receive-file.ts')
    await receiveFile(path, flags, process.env)
  })
}

/** @throws {ModuleError} that shows the line of the app that failed. */
async function withProbot(run: () => Promise<void>): Promise<void> {
  followImports()
  try {
    await run()
  } catch (cause) {
    if (isMissingPackage(cause) && failedImportOf(cause as Error)?.specifier === 'octokit') {
      throw new Error('Probot apps need the package "octokit": npm install octokit', { cause })
    }
    throw moduleError('Cannot run the Probot app', cause)
  }
}
