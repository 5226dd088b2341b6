import type { Command } from 'commander'
import {
  type AppDetails,
  type AppWebhook,
  type InstallationDetails,
  readAppDetails,
  readAppWebhook,
  readInstallations,
  settingsPage,
} from '../../github/app/details.ts'
import { unreachableUrl } from '../../github/app/manifest.ts'
import { DeliveryLog, type LoggedAttempt } from '../../github/delivery-log.ts'
import type { Permissions } from '../../github/event-permissions.ts'
import type { RequestError, Requester } from '../../github/requester.ts'
import { withoutSecrets } from '../../github/target.ts'
import { formatAge } from '../../runtime/format.ts'
import { abortOnSignal, eventName, jsonLine, printable, printLines, terminalWidth } from '../output.ts'
import { type Column, Table } from '../table.ts'
import { addAppFlags, connectedApp, type GitHubFlags, problemOf } from './connection.ts'

export function addStatus(parent: Command): void {
  const command = parent
    .command('status')
    .summary('Show the GitHub App, its installations and its last deliveries')
    .description("Shows the App whose key is in the env file or the environment, as GitHub's API describes it.")
    .option('--json', 'Print one JSON object; times in milliseconds since 1970')
  addAppFlags(command).action(showStatus)
}

interface Status {
  app: AppDetails & { settings: string }
  hook: AppWebhook
  installations: readonly InstallationDetails[]
  deliveries: readonly LoggedAttempt[]
}

const shownDeliveries = 10

async function showStatus(flags: GitHubFlags & { json?: true }): Promise<void> {
  const { github, requester } = connectedApp(flags, abortOnSignal())
  const status = await readStatus(github, requester).catch((error: unknown) => {
    throw new Error(problemOf(error), { cause: error })
  })
  await printLines(flags.json ? [jsonLine(status)] : statusLines(status, terminalWidth(), Date.now()))
}

async function readStatus(github: string, requester: Requester): Promise<Status> {
  const app = await readAppDetails(requester)
  const { url, ...hook } = await readAppWebhook(requester)
  const installations = await readInstallations(requester)
  const deliveries = await lastDeliveries(requester)
  return {
    app: { ...app, settings: settingsPage(github, app) },
    hook: { ...hook, url: url && withoutSecrets(url) },
    installations,
    deliveries,
  }
}

/** The newest deliveries. An App without a webhook has none. */
async function lastDeliveries(requester: Requester): Promise<LoggedAttempt[]> {
  try {
    return (await new DeliveryLog(requester, '/app/hook/deliveries').newest()).slice(0, shownDeliveries)
  } catch (error) {
    if ((error as RequestError).status !== 404) throw error
    return []
  }
}

function statusLines({ app, hook, installations, deliveries }: Status, width: number, now: number): string[] {
  const facts: [name: string, value: string][] = [
    ['App', `${app.name} (id ${app.id})`],
    ['Owner', app.owner.login],
    ['Settings', app.settings],
    ['Install', `${app.page}/installations/new`],
    ['Permissions', permissionsText(app.permissions)],
    ['Events', app.events.join(', ') || 'none'],
    ['Webhook', hookText(hook)],
  ]
  return [
    ...facts.map(([name, value]) => printable(`${name.padEnd(12)} ${value}`)),
    '',
    ...(installations.length > 0
      ? new Table(installationColumns, width).lines(installations.map(installationRow))
      : ['No account has installed the App.']),
    '',
    ...(deliveries.length > 0
      ? new Table(deliveryColumns, width).lines(deliveries.map((one) => deliveryRow(one, now)))
      : ['GitHub lists no deliveries to the webhook.']),
    ...(hook.url === unreachableUrl && deliveries.length > 0 ? ['', pulledText] : []),
  ]
}

const installationColumns: readonly Column[] = [
  { title: 'INSTALLATION' },
  { title: 'ACCOUNT', minWidth: 8 },
  { title: 'REPOSITORIES' },
  { title: 'PERMISSIONS', minWidth: 12 },
]

function installationRow({ id, account, coversAll, permissions, isSuspended }: InstallationDetails): string[] {
  const granted = isSuspended ? 'suspended' : permissionsText(permissions)
  return [id, account, coversAll ? 'all' : 'selected', granted].map(printable)
}

const deliveryColumns: readonly Column[] = [
  { title: 'AGE' },
  { title: 'EVENT', minWidth: 8 },
  { title: 'GITHUB SAYS', minWidth: 8, style: (text) => (text === 'OK' ? 'green' : 'yellow') },
  { title: 'GUID', minWidth: 8 },
]

const deliveryRow = (one: LoggedAttempt, now: number): string[] =>
  [formatAge(one.deliveredAt, now), eventName(one), one.status, one.guid].map(printable)

const pulledText =
  'No server is at the URL of the webhook, so GitHub fails to deliver. "serve --pull app" reads the deliveries.'

const permissionsText = (permissions: Permissions): string =>
  Object.entries(permissions)
    .map(([name, level]) => `${name} (${level})`)
    .join(', ') || 'none'

function hookText({ url, contentType, hasSecret, verifiesTls }: AppWebhook): string {
  if (url === undefined) return 'none'
  const facts = [contentType, hasSecret ? 'with a secret' : 'WITHOUT A SECRET', verifiesTls ? '' : 'TLS NOT VERIFIED']
  return `${url} (${facts.filter(Boolean).join(', ')})`
}
