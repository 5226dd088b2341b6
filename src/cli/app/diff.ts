import type { Command } from 'commander'
import { compareApp } from '../../github/app/compare.ts'
import { readAppDetails, readInstallations, settingsPage } from '../../github/app/details.ts'
import { appFindings } from '../../github/app/findings.ts'
import { needsOf } from '../../github/app/needs.ts'
import type { EnvFileFlags } from '../env-file-flags.ts'
import { findingLines } from '../finding-lines.ts'
import { handlersOf, moduleOrDefault, rejectModuleFlag } from '../module-handlers.ts'
import { abortOnSignal, jsonLine, printable, printLines } from '../output.ts'
import { openInBrowser } from './browser.ts'
import { addAppFlags, connectedApp, type GitHubFlags, problemOf } from './connection.ts'

interface Flags extends GitHubFlags, EnvFileFlags {
  open?: true
  json?: true
}

export function addDiff(parent: Command): void {
  const command = parent
    .command('diff [module]')
    .summary('Compare the GitHub App with the handlers of a module')
    .description(
      'Shows the permissions and events that the App lacks for the handlers of a module (default: hooks.ts), and those ' +
        'that no handler needs.',
    )
    .option('--open', 'Open the page of the App on GitHub if something is missing')
    .option('--json', 'Print one JSON object')
  rejectModuleFlag(addAppFlags(command), 'app diff').addHelpText('after', explanation).action(showDifference)
}

const explanation = `
GitHub's API cannot change the permissions and events of an App. The owner of the App changes them on GitHub. Then each
account that has installed the App must accept the new permissions.

Exits with 1 if a permission or an event is missing.`

async function showDifference(given: string | undefined, flags: Flags): Promise<void> {
  const module = moduleOrDefault(given)
  const { github, requester } = connectedApp(flags, abortOnSignal())
  const { names, permissions } = await handlersOf(module)
  const { app, installations } = await readAll()
  const needs = needsOf(names, permissions, app.events)
  const difference = compareApp(needs, app, installations)
  const isMissing = difference.missingPermissions.length > 0 || difference.missingEvents.length > 0
  const page = `${settingsPage(github, app)}/permissions`
  if (isMissing) process.exitCode = 1
  if (flags.json) return void (await printLines([jsonLine({ ...difference, notes: needs.notes, page })]))
  const findings = appFindings(difference, `${app.name} has all permissions and events that ${module} needs`)
  await printLines(findings.flatMap(findingLines))
  for (const note of needs.notes) console.error(`hookserver: ${printable(note)}`)
  if (!isMissing) return
  const accept = installations.length > 0 ? ' Then each account must accept the new permissions.' : ''
  await printLines(['', `Change the App on this page.${accept}`, `  ${page}`])
  if (flags.open) openInBrowser(page, flags)

  async function readAll() {
    try {
      return { app: await readAppDetails(requester), installations: await readInstallations(requester) }
    } catch (error) {
      throw new Error(problemOf(error), { cause: error })
    }
  }
}
