import type { Command } from 'commander'
import { isKnownName, reportedNames, splitName } from '../../events.ts'
import type { RegisteredApp } from '../../github/app/conversion.ts'
import { readAppDetails } from '../../github/app/details.ts'
import { type AppManifest, createManifest, maxNameLength } from '../../github/app/manifest.ts'
import { type AppNeeds, needsOf } from '../../github/app/needs.ts'
import { loadOctokit } from '../../github/github-client.ts'
import { shellQuoted } from '../../runtime/format.ts'
import { untilAborted } from '../../runtime/timer.ts'
import { type EnvFile, loadEnvFile } from '../../server/config/env-file.ts'
import { defaultEnvFile } from '../env-file-flags.ts'
import { UsageError } from '../flags.ts'
import { handlersOf, moduleOrDefault, rejectModuleFlag } from '../module-handlers.ts'
import { abortOnSignal, jsonLine, printable, printLines, printProgress } from '../output.ts'
import { assertNoApp, checkCanWriteApp, hasApp } from './app-variables.ts'
import {
  addOutputFlags,
  addressesFrom,
  type GitHubAddresses,
  type OutputFlags,
  problemOf,
  readOutput,
  requesterFor,
} from './connection.ts'
import { earlyEndLines } from './early-end.ts'
import { startPulling, waitForInstallation } from './first-delivery.ts'
import { describeProject } from './project.ts'
import { type CreateProgress, registerApp } from './registration.ts'

interface Flags extends OutputFlags {
  name?: string
  org?: string
  publicUrl?: string | undefined
  public?: true
  browser: boolean
  serve: boolean
  yes?: true
  dryRun?: true
  json?: true
}

export function addCreate(parent: Command): void {
  const command = parent
    .command('create [module]')
    .summary('Create a GitHub App for the handlers of a module')
    .description(
      'Creates a GitHub App with the events and permissions that the handlers of a module (default: hooks.ts) need, ' +
        'writes the key and the secrets of the App to a file, and runs the handlers until the first delivery is ' +
        'handled.',
    )
    .option('--name <name>', 'Name of the App (default: the name in package.json)', parseName)
    .option('--org <organization>', 'Organization that will own the App (default: your account)', parseOrganization)
    .option('--public-url <url>', 'Public address of the server that receives the deliveries (default: none)', parseUrl)
    .option('--public', 'Let any account install the App')
    .option('--no-browser', 'Only print the address of the page, do not open it')
    .option('--no-serve', 'End after the installation, without running the handlers')
    .option('--yes', 'Skip the page on which you can change the manifest')
    .option('--dry-run', 'Only print the manifest')
    .option('--json', 'Print one JSON object; progress goes to stderr')
  rejectModuleFlag(addOutputFlags(command), 'app create').addHelpText('after', examples).action(create)
}

const examples = `
The events of a handler do not show whether it writes to GitHub. Declare write permissions in the module:
  export const config = { permissions: { issues: 'write' } }

Nothing on the internet has to reach this machine: the command reads the deliveries from GitHub's log.

Examples:
  hookserver app create                                          for hooks.ts, in your account
  hookserver app create bot.ts --org acme --name acme-bot
  hookserver app create --public-url https://bot.example.com/hooks      for a server with a public address
  hookserver app create --github https://acme.ghe.com --dry-run`

async function create(given: string | undefined, flags: Flags): Promise<void> {
  const module = moduleOrDefault(given)
  assertNoApp(flags.output)
  const envFile = readOutput(flags)
  const addresses = addressesFrom(flags)
  const { names, permissions, path } = await handlersOf(module)
  const publicUrl = flags.publicUrl === undefined ? undefined : webhookUrl(flags.publicUrl, path)
  const found = needsOf(names, permissions)
  const needs = { ...found, notes: [...found.notes, ...pathNotes(module, publicUrl, path)] }
  // The notes report unknown events, so the server that this command starts must not report them again.
  for (const name of names) if (!isKnownName(splitName(name)[0])) reportedNames.add(name)
  const manifest = manifestFor(module, needs, { ...flags, publicUrl }, addresses)
  if (flags.dryRun) return printManifest(manifest('http://127.0.0.1/registered'), needs, flags)
  checkCanWriteApp(flags.output)
  await loadOctokit()
  const signal = abortOnSignal()
  const progress: CreateProgress = { written: false }
  try {
    await run({ module, flags, envFile, addresses, manifest, needs, progress, signal })
  } catch (error) {
    const reason = signal.aborted ? 'The command was stopped' : problemOf(error)
    const isTaken = !progress.written && hasApp(flags.output)
    const places = { github: addresses.github, organization: flags.org, envFile: flags.output, isTaken }
    const commands = { next: nextCommand(module, flags), importFlags: importFlags(flags, addresses, isTaken) }
    for (const line of [reason, ...earlyEndLines(progress, { ...places, ...commands })]) {
      console.error(`hookserver: ${printable(line)}`)
    }
    process.exitCode = 1
  }
  process.exit() // timers and connections of the module would keep the process alive
}

interface Run {
  module: string
  flags: Flags
  envFile: EnvFile | undefined
  addresses: GitHubAddresses
  manifest: (redirectUrl: string) => AppManifest
  needs: AppNeeds
  progress: CreateProgress
  signal: AbortSignal
}

async function run({ module, flags, envFile, addresses, manifest, needs, progress, signal }: Run): Promise<void> {
  const { output, org, yes, json } = flags
  await printProgress(needsLines(module, needs), json)
  const app = await registerApp({
    ...{ addresses, organization: org, manifest, notes: needs.notes, skipsForm: yes === true },
    ...{ output, envFile, opensBrowser: flags.browser, progress, signal, json },
  })
  const created = printable(`Created the App ${app.name} (id ${app.id}) of ${app.owner}`)
  await printProgress([created, `Wrote its key and secrets to ${output}`], json)
  const requester = requesterFor(app, addresses.apiUrl, signal)
  const details = await readAppDetails(requester)
  if (details.id !== app.id) throw new Error(`The key belongs to another App (id ${details.id})`)
  let installation: { account: string; coversAll: boolean } | undefined
  loadEnvFile(output)
  // The inbox must exist before the first delivery, because polling ignores deliveries older than the inbox.
  const server = flags.serve
    ? await startPulling(module, { github: flags.github, apiUrl: flags.apiUrl }, needs.permissions, json)
    : undefined
  try {
    const waiting = 'Waiting for the installation. Choose an account and its repositories on this page:'
    await printProgress([waiting, `  ${app.page}/installations/new`], json)
    const { account, coversAll } = await waitForInstallation(requester, signal)
    progress.installed = true
    installation = { account, coversAll }
    await printProgress([printable(`Installed on ${account}, ${coversAll ? 'all' : 'selected'} repositories`)], json)
    if (server) await waitForDelivery(server.handled, needs, { signal, json })
  } finally {
    await server?.close()
  }
  if (!json) return void (await printLines(summaryFor(app, module, flags)))
  const { id, name, owner, page } = app
  await printLines([
    jsonLine({ app: { id, name, owner, page }, output, installation, next: nextCommand(module, flags) }),
  ])
}

function needsLines(module: string, { events, permissions, notes }: AppNeeds): string[] {
  const levels = Object.entries(permissions).map(([name, level]) => `${name} (${level})`)
  const needed = `${module} needs the permissions ${levels.join(', ')}`
  const subscribed = events.length > 0 ? `and the events ${events.join(', ')}` : 'and no events'
  return [`${needed}, ${subscribed}`, ...notes].map(printable)
}

async function waitForDelivery(
  handled: Promise<void>,
  { names }: AppNeeds,
  { signal, json }: { signal: AbortSignal; json: boolean | undefined },
): Promise<void> {
  const cure = 'To make GitHub send one, cause one of these events where the App is installed'
  const causes = names.length > 0 ? `. ${cure}: ${names.join(', ')}` : ''
  await printProgress([printable(`Waiting for the first delivery${causes}`)], json)
  await untilAborted(signal, () => handled)
}

function summaryFor({ name }: RegisteredApp, module: string, flags: Flags): string[] {
  const done = flags.serve ? 'The App works' : 'The App is ready'
  return ['', printable(`${done}: ${name}. Start the server with:`), `  ${nextCommand(module, flags)}`]
}

/** The command that runs the handlers from now on. */
function nextCommand(module: string, { publicUrl, output }: Flags): string {
  const pull = publicUrl === undefined ? ' --pull app' : ''
  const file = output === defaultEnvFile ? '' : ` --env-file ${shellQuoted(output)}`
  return `npx hookserver serve ${shellQuoted(module)}${pull}${file}`
}

/**
 * The flags with which `app import` uses the same GitHub and the same file. It must be the same GitHub, because another
 * GitHub must not get a token of this App. If the file has another App, the user chooses another file.
 */
function importFlags({ output }: Flags, { variables }: GitHubAddresses, isTaken: boolean): string {
  const { HOOKSERVER_GITHUB: github, HOOKSERVER_API_URL: apiUrl } = variables
  const file = output === defaultEnvFile || isTaken ? undefined : output
  const values = Object.entries({ '--github': github, '--api-url': apiUrl, '--output': file })
  const given = values.map(([flag, value]) => (value === undefined ? '' : ` ${flag} ${shellQuoted(value)}`)).join('')
  return isTaken ? `${given} --output <another file>` : given
}

/** A URL without a path gets that of the server. GitHub would otherwise deliver to `/`, which the server answers with 404. */
function webhookUrl(publicUrl: string, path: string | false): string {
  const url = new URL(publicUrl)
  if (url.pathname === '/' && path) url.pathname = path
  return url.href
}

function pathNotes(module: string, url: string | undefined, path: string | false): string[] {
  if (url === undefined || path === false || new URL(url).pathname === path) return []
  return [`${module} receives deliveries at ${path}: check that your proxy passes those for ${url} to this path`]
}

function manifestFor(module: string, needs: AppNeeds, flags: Flags, { github }: GitHubAddresses) {
  const { name, description, homepage } = describeProject(module)
  return (redirectUrl: string): AppManifest =>
    createManifest(needs, {
      ...{ name: flags.name ?? name, description, redirectUrl },
      homepage: homepage ?? (flags.publicUrl && new URL(flags.publicUrl).origin) ?? github,
      url: flags.publicUrl,
      isPublic: flags.public === true,
    })
}

/** Prints the manifest without the redirect URL: a dry run starts no server, so there is no port for the URL. */
async function printManifest(
  { redirect_url: _, ...manifest }: AppManifest,
  { notes }: AppNeeds,
  { json }: Flags,
): Promise<void> {
  await printLines(json ? [jsonLine(manifest)] : JSON.stringify(manifest, undefined, 2).split('\n').map(printable))
  for (const note of notes) console.error(`hookserver: ${printable(note)}`)
  console.error('hookserver: Dry run: nothing was created.')
}

function parseName(text: string): string {
  if (text.trim() !== '' && text.length <= maxNameLength) return text
  throw new UsageError(`--name: expected 1 to ${maxNameLength} characters, got ${text.length}`)
}

function parseOrganization(text: string): string {
  if (/^[\w-]{1,39}$/.test(text)) return text
  throw new UsageError('--org: expected the name of an organization, such as acme')
}

function parseUrl(text: string): string {
  const url = URL.parse(text)
  if (url && ['http:', 'https:'].includes(url.protocol) && !url.username && !url.password) return url.href
  throw new UsageError(
    '--public-url: expected an address such as https://bot.example.com/hooks, without a user or password',
  )
}
