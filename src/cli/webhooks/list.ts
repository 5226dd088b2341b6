import type { Command } from 'commander'
import { withoutSecrets } from '../../github/target.ts'
import { nameOfWebhook, type WebhookDetails } from '../../github/webhooks/webhook-details.ts'
import { jsonLine, printable, printLines, terminalWidth } from '../output.ts'
import { type Column, Table } from '../table.ts'
import { addGitHubFlags, openWebhooks, type WebhookFlags } from './open-webhooks.ts'

export function addListWebhooks(parent: Command): void {
  const command = parent
    .command('list <target>')
    .summary('List the webhooks of a repository, an organization or an App')
    .description(
      'Lists webhooks with their settings and the last response of the receiver. Shows the URL of each webhook ' +
        'without its query string, which may contain a secret.',
    )
  addGitHubFlags(command).option('--json', 'Print one JSON object per line').addHelpText('after', examples).action(list)
}

const examples = `
Examples:
  hookserver webhooks list acme/shop
  hookserver webhooks list acme --json | jq .url
  hookserver webhooks list app`

async function list(text: string, flags: WebhookFlags): Promise<void> {
  const { target, api } = await openWebhooks(text, flags, { needsSecret: false })
  const webhooks = await api.list()
  if (flags.json) {
    const shown = webhooks.map(({ url, ...webhook }) => ({
      ...{ webhook: nameOfWebhook(target, webhook), url: withoutSecrets(url) },
      ...webhook,
    }))
    await printLines(shown.map(jsonLine))
  } else if (webhooks.length > 0) {
    await printLines(new Table(columns, terminalWidth()).lines(webhooks.map(rowOf)))
  } else {
    console.error('No webhooks found.')
  }
}

const columns: readonly Column[] = [
  { title: 'ID' },
  { title: 'URL', minWidth: 10 },
  { title: 'EVENTS', minWidth: 8 },
  { title: 'ACTIVE', style: (text) => (text === 'no' ? 'red' : undefined) },
  { title: 'CONTENT' },
  { title: 'TLS CHECKS', style: (text) => (text === 'off' ? 'red' : undefined) },
  { title: 'SECRET', style: (text) => (text === 'none' ? 'red' : undefined) },
  { title: 'LAST RESPONSE', minWidth: 8 },
]

function rowOf({
  id,
  url,
  events,
  active,
  contentType,
  verifiesTls,
  hasSecret,
  lastResponse,
}: WebhookDetails): string[] {
  const state = active === undefined ? 'unknown' : active ? 'yes' : 'no'
  const last = lastResponse ? [lastResponse.code, lastResponse.status].filter(Boolean).join(' ') : 'unknown'
  const cells = [String(id ?? 'app'), withoutSecrets(url), events.join(','), state, contentType]
  return [...cells, verifiesTls ? 'on' : 'off', hasSecret ? 'set' : 'none', last].map(printable)
}
