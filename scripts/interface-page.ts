/** The page `docs/interface.md`: every name of the interface, with one line from the code. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
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
}

type Row = readonly string[]

const root = join(import.meta.dirname, '..')

/** The first sentence of a comment, in one line. */
function firstSentence(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return (/^.*?[.:](?= [A-Z`'(]|$)/.exec(line)?.[0] ?? line).replace(/:$/, '.').replaceAll('|', '\\|')
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

/** The options of a handler, from the comments of `HandlerOptions`. */
function handlerOptions(): Row[] {
  const source = readFileSync(join(root, 'src/handler.ts'), 'utf8')
  const [, members = ''] = /interface HandlerOptions<.*?> \{(.*?)\n\}/s.exec(source) ?? []
  return [...members.matchAll(/ {2}\/\*\*\n(.*?) {3}\*\/\n {2}(\w+)\?:/gs)].map(([, comment = '', name = '']) => [
    code(name),
    firstSentence(comment.replace(/^ {3}\* ?/gm, '')),
  ])
}

function commandRows(command: Command, path: string): Row[] {
  return command.commands.flatMap((child) => {
    const name = `${path} ${child.name()}`
    if (child.commands.length > 0) return commandRows(child, name)
    const usage = `${name} ${child.usage().replace('[options]', '')}`.replace(/\s+/g, ' ').trim()
    return [[code(usage), firstSentence(child.description())]]
  })
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
  HOOKSERVER_SERVER:
    'Admin URL of the remote server that commands such as `deliveries list` use instead of a database.',
  HOOKSERVER_ENV_FILE: 'File with environment variables, instead of `.env`.',
  HTTPS_PROXY: 'Proxy for requests to GitHub. Node.js reads it if `NODE_USE_ENV_PROXY` is `1`.',
  STATE_DIRECTORY: 'Directory of the generated admin token. systemd sets it.',
  NOTIFY_SOCKET: 'Socket that learns when the server is ready. systemd sets it.',
  NO_COLOR: 'Any value: no colors.',
  COLUMNS: 'Width of tables if the output is no terminal.',
}

/** Variables that only hookserver itself, a test runner or a build sets, and those of the system. */
const internalVariables = ['HOOKSERVER_SUPERVISED', 'NEXT_PHASE', 'NODE_TEST_CONTEXT', 'PATH']

/** The variables that `src` reads and the page does not list. */
export function missingVariables(page: string): string[] {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  )
  const source = files
    .map((file) => readFileSync(join(root, 'src', file), 'utf8').replace(/^ *\* .*$/gm, ''))
    .join('\n')
  const read = source.matchAll(/\benv\.([A-Z_]+)|\b(?:env|environmentVariable)\('([A-Z_]+)'\)|'(HOOKSERVER_[A-Z_]+)'/g)
  const names = new Set([...read].map(([, member, argument, constant]) => member ?? argument ?? constant ?? ''))
  return [...names].filter((name) => !internalVariables.includes(name) && !page.includes(code(name)))
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

/** @param entryPoints The exports by entry point. */
export async function interfacePage(entryPoints: ReadonlyMap<string, readonly Export[]>): Promise<string> {
  const options = Object.keys(rules).map((name) => [code(name), firstSentence(docs.get(name)?.text ?? '')])
  const exports = [...entryPoints].map(([specifier, list]) => `### ${specifier}\n\n${exportTable(list)}`)
  return `# The interface

Every name that programs and operators may use. \`node scripts/interface-report.ts\` writes this page from the code. Other
pages explain the names.

## Exports

${exports.join('\n\n')}

## Options

[Options](options.md) has the defaults and examples.

${table(['option of `Hooks` or a mount', ''], options)}

[Handlers](guides/handlers.md#options) explains the options of a handler.

${table(['option of a handler', ''], handlerOptions())}

## Commands

[The command line](cli.md) has the flags and exit codes.

${table(['command', ''], commandRows(createProgram(), 'hookserver'))}

## Settings

[Settings](settings.md) explains how \`hookserver serve\` finds their values.

${table(['flag', 'variables', ''], settingRows())}

These variables belong to no setting:

${table(
  ['variable', ''],
  Object.entries(variables).map(([name, text]) => [code(name), text]),
)}

## Metrics

[Monitoring](observability.md) has the labels.

${table(['metric', ''], await metricRows())}

## Endpoints

[The admin API](api.md) has the parameters and answers. The admin listener also has \`/healthz\`, \`/readyz\` and \`/metrics\`.

${table(['endpoint', ''], await endpointRows())}
`
}
