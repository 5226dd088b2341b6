import type { Command } from 'commander'
import { planWebhook, selectWebhook, type WebhookPlan } from '../../github/webhooks/plan.ts'
import type { OwnSecrets } from '../../github/webhooks/proof-findings.ts'
import { proveByFirstPing, proveByPing, proveSecret } from '../../github/webhooks/prove-secret.ts'
import type { WebhookDetails } from '../../github/webhooks/webhook-details.ts'
import { plural } from '../../runtime/format.ts'
import { isLoopback } from '../../runtime/loopback.ts'
import { UsageError } from '../flags.ts'
import { printLines } from '../output.ts'
import { confirm, requireConfirmable } from '../prompts.ts'
import { planLines, report, reportEvents, reportUnchanged } from './ensure-report.ts'
import {
  addEventFlags,
  addGitHubFlags,
  addSettingFlags,
  type OpenWebhooks,
  openWebhooks,
  type WebhookFlags,
} from './open-webhooks.ts'

interface Flags extends WebhookFlags {
  yes?: true
  dryRun?: true
}

export function addEnsure(parent: Command): void {
  const command = parent
    .command('ensure <target>')
    .summary('Create or repair a webhook')
    .description(
      'Creates the webhook that delivers to --public-url, or changes the one that exists. Shows each change and asks first.\n' +
        'Afterwards a ping proves that GitHub signs with the secret of the server.',
    )
  addGitHubFlags(addEventFlags(addSettingFlags(command, ['publicUrl', 'secretFile'])))
    .option('--yes', 'Do not ask for confirmation')
    .option('--dry-run', 'Only show the changes')
    .option('--json', 'Print one JSON object')
    .addHelpText('after', explanation)
    .action(ensure)
}

const explanation = `
The secret comes from --secret-file, GITHUB_WEBHOOKS_KEY or SECRET_KEY. A second run changes nothing.

Examples:
  hookserver webhooks ensure acme/shop --public-url https://hooks.example/hooks --module hooks.ts
  hookserver webhooks ensure acme --public-url https://hooks.example/hooks --events push,issues --dry-run
  hookserver webhooks ensure app --public-url https://hooks.example/hooks       the webhook of your GitHub App`

async function ensure(text: string, flags: Flags): Promise<void> {
  requireConfirmable({ yes: flags.yes ?? flags.dryRun, otherwise: '--dry-run to see the changes' })
  const open = await openWebhooks(text, flags)
  const { url, secrets } = requireUrlAndSecret(open)
  const webhooks = await open.api.list()
  const webhook = selectWebhook(webhooks, open.target, url)
  await reportEvents(open, webhooks, webhook)
  const events = eventsFor(open, webhook)
  const before = webhook?.hasSecret ? await proveSecret(open.api, webhook, secrets.values, !flags.dryRun) : undefined
  const plan = planWebhook(webhook, { url, events, secretSource: secrets.source }, before)
  const isAsked = plan.action !== 'keep' && !flags.yes && !flags.dryRun
  if (!flags.json) await printLines(planLines(plan, open))
  else if (isAsked) console.error(planLines(plan, open).join('\n'))
  if (plan.action === 'keep') return report({ open, flags, secrets, plan, webhook, proof: before, isApplied: false })
  if (flags.dryRun || !(await isConfirmed(plan, flags))) return reportUnchanged(plan, open, flags)
  const changed = await apply(plan, open, secrets.values[before?.index ?? 0] as string)
  const proof = await proofAfter(plan, changed, open, secrets)
  return report({ open, flags, secrets, plan, webhook: changed, proof, isApplied: true })
}

/** @throws {UsageError} if the URL or the secret is missing, or if the URL is not encrypted. */
function requireUrlAndSecret({ url, secrets }: OpenWebhooks): { url: string; secrets: OwnSecrets } {
  if (url === undefined)
    throw new UsageError('--public-url is missing: pass the public address of the server, with its path')
  const { protocol, hostname } = new URL(url)
  if (protocol !== 'https:' && !isLoopback(hostname)) {
    throw new UsageError('--public-url: expected an https URL (http on loopback only), because payloads may be private')
  }
  if (secrets) return { url, secrets }
  throw new UsageError(
    'No secret for the webhook. Set GITHUB_WEBHOOKS_KEY to the secret of the server, or name its file with --secret-file. ' +
      'To create one: (umask 077; openssl rand -hex 32 > webhook-secret)',
  )
}

/**
 * The events to set; `undefined` to keep those of the webhook. GitHub's API cannot change the events of an App.
 * @throws {UsageError} if a new webhook would have no events, or if none of the given events is available to it.
 */
function eventsFor({ target, events }: OpenWebhooks, webhook: WebhookDetails | undefined): string[] | undefined {
  if (target === 'app') return undefined
  if (events && events.events.length > 0) return events.events
  if (webhook && !events) return undefined
  throw new UsageError('No events for the webhook: pass the module with --module, or name them with --events')
}

const isConfirmed = ({ webhook, changes }: WebhookPlan, { yes }: Flags): Promise<boolean> =>
  confirm(webhook ? `Make ${plural(changes.length, 'change')}?` : 'Create it?', { yes })

/** @param secret The secret that GitHub already has, if it is one of ours. Otherwise our first one. */
async function apply({ webhook, settings, changes }: WebhookPlan, { api }: OpenWebhooks, secret: string) {
  if (!webhook) return api.create(settings, secret)
  const { id } = webhook
  const isMoreThanConfig = changes.some(({ property }) => property === 'events' || property === 'active')
  if (isMoreThanConfig && id !== undefined) await api.update(id, settings, secret)
  else await api.updateConfig(id, settings, secret)
  return webhook
}

/**
 * Proves the secret with a ping. GitHub pings a new webhook on its own. For any other webhook, this requests a ping.
 * Without a ping, as for a new App, nothing is proved, and only the next delivery shows whether GitHub has the secret.
 */
function proofAfter(plan: WebhookPlan, webhook: WebhookDetails, { api }: OpenWebhooks, { values }: OwnSecrets) {
  return plan.webhook ? proveByPing(api, webhook, values) : proveByFirstPing(api, webhook, values)
}
