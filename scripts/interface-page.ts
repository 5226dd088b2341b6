/** The page `docs/interface.md`: every name of the interface, with one line from the code. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command, Option } from 'commander'
import { createProgram } from '../src/cli/program.ts'
import { api } from '../src/server/api/index.ts'
import type { ApiContext } from '../src/server/api/route.ts'
import type { Guard } from '../src/server/auth/guard.ts'
import { flagOf, variablesOf } from '../src/server/config/resolve-config.ts'
import { type SettingName, settings } from '../src/server/config/settings.ts'
import { Metrics } from '../src/server/metrics/metrics.ts'
import { rules } from '../src/settings.ts'
import { docs } from './options-docs.ts'

/** An export of an entry point. */
export interface Export {
  name: string
  kind: string
  /** Its comment. */
  text: string
  /** If it is a type of options: the options, with their comments. */
  members: readonly { name: string; text: string }[]
}

type Row = readonly string[]

const root = join(import.meta.dirname, '..')

/** The first sentence of a comment, in one line. @param ends The characters that end a sentence. */
function firstSentence(text: string, ends = '.:'): string {
  const line = text.replace(/\s+/g, ' ').trim()
  const [sentence = line] = new RegExp(`^.*?[${ends}](?= [A-Z\`'(]|$)`).exec(line) ?? []
  return sentence.replace(/:$/, '.').replaceAll('|', '\\|')
}

function table(heading: Row, rows: readonly Row[]): string {
  return [heading, heading.map(() => '---'), ...rows]
    .map((row) => `| ${row.join(' | ')} |`.replaceAll('|  |', '| |'))
    .join('\n')
}

const code = (text: string): string => `\`${text}\``

const exportTable = (exports: readonly Export[]): string =>
  table(
    ['export', 'kind', ''],
    exports.map(({ name, kind, text }) => [code(name), kind, firstSentence(text)]),
  )

/** The tables of the options of an entry point: one for each type of options. */
function optionTables(exports: readonly Export[]): string[] {
  return exports
    .filter(({ members }) => members.length > 0)
    .map(({ name, text, members }) =>
      table(
        [code(name), firstSentence(text)],
        members.map((member) => [code(member.name), firstSentence(member.text, '.')]),
      ),
    )
}

interface NamedCommand {
  path: string
  command: Command
}

/** The commands below a command that have no commands below them. */
function commandsBelow(command: Command, path: string): NamedCommand[] {
  return command.commands.flatMap((child) => {
    const name = `${path} ${child.name()}`
    return child.commands.length > 0 ? commandsBelow(child, name) : [{ path: name, command: child }]
  })
}

const settingFlags = new Set(Object.keys(settings).map(flagOf))

/** The flags of a command, without those of settings if it has them all. */
function flagsOf({ options }: Command): { flags: readonly Option[]; hasSettings: boolean } {
  const names = new Set(options.map(({ long }) => long))
  const hasSettings = [...settingFlags].every((flag) => names.has(flag))
  const flags = options.filter(({ hidden, long }) => !hidden && !(hasSettings && settingFlags.has(long ?? '')))
  return { flags, hasSettings }
}

function commandRow({ path, command }: NamedCommand): Row {
  const usage = `${path} ${command.usage().replace('[options]', '')}`.replace(/\s+/g, ' ').trim()
  const { flags, hasSettings } = flagsOf(command)
  const names = flags.map(({ long, short }) => code(long ?? short ?? ''))
  const all = hasSettings ? ['those of all [settings](#settings)', ...names] : names
  return [code(usage), firstSentence(command.description()), all.join(', ')]
}

/** The flags of all commands. A flag with several meanings has several rows. */
function flagRows(commands: readonly NamedCommand[]): Row[] {
  const rows = commands.flatMap(({ command }) =>
    flagsOf(command).flags.map(({ flags, description }) => [code(flags), description.replaceAll('|', '\\|')] as const),
  )
  const byText = new Map(rows.map((row) => [row.join(' '), row]))
  return [...byText.values()].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
}

const settingRows = (): Row[] =>
  Object.entries(settings).map(([name, { placeholder, help }]) => [
    code(`${flagOf(name)} ${placeholder}`),
    variablesOf(name as SettingName)
      .map(code)
      .join(', '),
    help,
  ])

/** The variables that belong to no setting, each with its description. */
const variables: Readonly<Record<string, string>> = {
  GITHUB_WEBHOOKS_KEY: 'Default of the option `secret`.',
  SECRET_KEY: 'Default of the option `secret`, if there is no `GITHUB_WEBHOOKS_KEY`.',
  GITHUB_APP_ID: 'With `GITHUB_APP_PRIVATE_KEY`: default of the option `app`.',
  GITHUB_APP_PRIVATE_KEY: 'With `GITHUB_APP_ID`: default of the option `app`. The key, or the path of its file.',
  GITHUB_CLIENT_ID: 'With `GITHUB_CLIENT_SECRET`: the App of the login with GitHub. `app create` writes it to `.env`.',
  GITHUB_CLIENT_SECRET: 'With `GITHUB_CLIENT_ID`: the App of the login with GitHub. `app create` writes it to `.env`.',
  GITHUB_TOKEN: 'Default of the option `token` for github.com.',
  APP_ID: 'For Probot apps: default of `GITHUB_APP_ID`.',
  PRIVATE_KEY: 'For Probot apps: default of `GITHUB_APP_PRIVATE_KEY`. The key, perhaps in base64.',
  PRIVATE_KEY_PATH: 'For Probot apps: the path of the key, if there is no `PRIVATE_KEY`.',
  WEBHOOK_SECRET: 'For Probot apps: default of `GITHUB_WEBHOOKS_KEY`.',
  WEBHOOK_PATH: 'For Probot apps: path that receives deliveries.',
  GHE_HOST: 'For Probot apps: host of a GitHub Enterprise Server.',
  GHE_PROTOCOL: 'For Probot apps: protocol of `GHE_HOST`, `https` by default.',
  LOG_LEVEL: 'For Probot apps: log level.',
  HOST: 'For `run()` of Probot apps: address of the listener, `localhost` by default.',
  GITHUB_EVENT_NAME: 'Default of `--event` of `hookserver probot receive`. GitHub Actions sets it.',
  GITHUB_EVENT_PATH: 'Default of `--payload-path` of `hookserver probot receive`. GitHub Actions sets it.',
  HOOKSERVER_SERVER:
    'Admin URL of the remote server that commands such as `deliveries list` use instead of a database.',
  HOOKSERVER_ENV_FILE: 'File with environment variables, instead of `.env`.',
  HTTPS_PROXY: 'Proxy for requests to GitHub. Node.js reads it if `NODE_USE_ENV_PROXY` is `1`.',
  STATE_DIRECTORY: 'Directory of the generated admin token. systemd sets it.',
  NOTIFY_SOCKET: 'Socket that learns when the server is ready. systemd sets it.',
  NO_COLOR: 'Any value: no colors.',
  COLUMNS: 'Width of tables if the output is no terminal.',
}

/** The variables that `exec` gives to programs. */
const execVariables: Readonly<Record<string, string>> = {
  HOOKSERVER_EVENT: 'The event of the delivery.',
  HOOKSERVER_ACTION: 'The action of the delivery.',
  HOOKSERVER_REPOSITORY: 'The repository, as `owner/name`.',
  HOOKSERVER_REF: 'The branch or tag.',
  HOOKSERVER_SHA: 'The commit.',
  HOOKSERVER_SENDER: 'The login of the user who caused the delivery.',
  HOOKSERVER_GUID: 'The GUID of the delivery.',
}

/** The endpoints of the admin listener that are no part of its API. */
const listenerEndpoints: Readonly<Record<string, string>> = {
  '/': 'The dashboard.',
  '/assets/*': 'The files of the dashboard.',
  '/healthz': 'Whether the process answers.',
  '/readyz': 'Whether the server can receive deliveries and run handlers.',
  '/metrics': 'The metrics.',
  '/login/github': 'Starts a login with GitHub, if the settings allow logins.',
  '/login/github/callback': 'Ends a login with GitHub, if the settings allow logins.',
}

/** Variables that only hookserver itself, a test runner or a build sets, and those of the system. */
const internalVariables = ['HOOKSERVER_SUPERVISED', 'NEXT_PHASE', 'NODE_TEST_CONTEXT', 'PATH']

const sourceOf = (file: string): string => readFileSync(join(root, 'src', file), 'utf8')

/** The variables that `src` reads or sets, and the page does not list. */
export function missingVariables(page: string): string[] {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  )
  const source = files.map((file) => sourceOf(file).replace(/^ *\* .*$/gm, '')).join('\n')
  const read = source.matchAll(/\benv\.([A-Z_]+)|\b(?:env|environmentVariable)\('([A-Z_]+)'\)|'(HOOKSERVER_[A-Z_]+)'/g)
  const destructured = [...source.matchAll(/const \{([^}]*)\} = (?:process\.)?env\b/g)].flatMap(([, members = '']) =>
    [...members.matchAll(/(?:^|,)\s*([A-Z_]+)\b/g)].map(([, name = '']) => name),
  )
  const [, given = ''] = /const properties = \{(.*?)\}/.exec(sourceOf('exec/index.ts')) ?? []
  const names = new Set([
    ...[...read].map(([, member, argument, constant]) => member ?? argument ?? constant ?? ''),
    ...destructured,
    ...[...given.matchAll(/\w+/g)].map(([name]) => `HOOKSERVER_${name.toUpperCase()}`),
  ])
  return [...names].filter((name) => !internalVariables.includes(name) && !page.includes(code(name)))
}

/** The endpoints of the admin listener that the page does not list. */
export function missingEndpoints(page: string): string[] {
  const paths = sourceOf('server/admin-listener.ts').matchAll(/app\.get\('([^']+)'/g)
  return [...paths].map(([, path = '']) => `GET ${path}`).filter((endpoint) => !page.includes(code(endpoint)))
}

/** The metrics, from the text that a server without an inbox shows. */
async function metricRows(): Promise<Row[]> {
  const metrics = new Metrics(stub as never)
  const text = await metrics.read('text/plain')
  return [...text.matchAll(/^# HELP (\S+) (.*)$/gm)].map(([, name = '', help = '']) => [code(name), help]).toSorted()
}

/** An object whose every member is a function that returns the object. Stands for the parts of a server. */
const stub: unknown = new Proxy(() => stub, { get: (_target, name) => (name === 'then' ? undefined : stub) })

async function endpointRows(): Promise<Row[]> {
  const pass = (_context: unknown, next: () => Promise<void>) => next()
  const guard = new Proxy({}, { get: () => pass }) as Guard
  const response = await api(stub as ApiContext, guard).request('/openapi.json')
  const { paths } = (await response.json()) as { paths: Record<string, Record<string, { summary: string }>> }
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { summary }]) => [code(`${method.toUpperCase()} ${path}`), summary]),
  )
}

const descriptionRows = (descriptions: Readonly<Record<string, string>>, prefix = ''): Row[] =>
  Object.entries(descriptions).map(([name, text]) => [code(prefix + name), text])

/** @param entryPoints The exports by entry point. */
export async function interfacePage(entryPoints: ReadonlyMap<string, readonly Export[]>): Promise<string> {
  const options = Object.keys(rules).map((name) => [code(name), firstSentence(docs.get(name)?.text ?? '')])
  const exports = [...entryPoints].map(([specifier, list]) => `### ${specifier}\n\n${exportTable(list)}`)
  const ownOptions = [...entryPoints].flatMap(([specifier, list]) => {
    const tables = optionTables(list)
    return tables.length > 0 ? [`### Options of ${specifier}\n\n${tables.join('\n\n')}`] : []
  })
  const commands = commandsBelow(createProgram(), 'hookserver')
  return `# The interface

Every name that programs and operators may use. \`node scripts/interface-report.ts\` writes this page from the code. Other
pages explain the names.

## Exports

${exports.join('\n\n')}

## Options

[Options](options.md) has the defaults and examples.

${table(['option of `Hooks` or a mount', ''], options)}

The tables below have the other options, by the name of their type. A type that extends another one also has the options of
that type.

${ownOptions.join('\n\n')}

## Commands

[The command line](cli.md) has examples and exit codes.

${table(['command', '', 'flags'], commands.map(commandRow))}

${table(['flag', ''], flagRows(commands))}

## Settings

[Settings](settings.md) explains how \`hookserver serve\` finds their values.

${table(['flag', 'variables', ''], settingRows())}

These variables belong to no setting:

${table(['variable', ''], descriptionRows(variables))}

[Programs](guides/exec.md) that \`exec\` runs get these variables:

${table(['variable', ''], descriptionRows(execVariables))}

## Metrics

[Monitoring](observability.md) has the labels.

${table(['metric', ''], await metricRows())}

## Endpoints

[The admin API](api.md) has the parameters and answers.

${table(['endpoint', ''], [...(await endpointRows()), ...descriptionRows(listenerEndpoints, 'GET ')])}
`
}
