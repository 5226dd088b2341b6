import type { Command } from 'commander'
import { nameOfTarget } from '../../github/target.ts'
import { planWebhook, selectWebhook, type WebhookPlan } from '../../github/webhooks/plan.ts'
import { proveByFirstPing, proveByLastDelivery, proveByPing } from '../../github/webhooks/prove-secret.ts'
import type { SecretProof } from '../../github/webhooks/secret-proof.ts'
import { nameOfWebhook, type WebhookDetails } from '../../github/webhooks/webhook-details.ts'
import { isLoopback } from '../../server/listener.ts'
import { confirm, requireConfirmable } from '../confirm.ts'
import { type Finding, findingLines } from '../doctor/finding.ts'
import { UsageError } from '../flags.ts'
import { jsonLine, plural, printable, printLines } from '../output.ts'
import {
  addEventFlags,
  addGitHubFlags,
  addSettingFlags,
  type OpenWebhooks,
  type OwnSecrets,
  openWebhooks,
  type WebhookFlags,
} from './open-webhooks.ts'
import { proofFindings } from './proof-findings.ts'
import { eventFinding } from './webhook-findings.ts'

interface Flags extends WebhookFlags {
  yes?: true
  dryRun?: true
}

export function addEnsure(parent: Command): void {
  const command = parent
    .command('ensure <target>')
    .summary('Create or repair a webhook')
    .description(
      'Creates the webhook that delivers to --url, or changes the one that exists. Shows each change and asks first.\n' +
        'Afterwards a ping proves that GitHub signs with the secret of the server.',
    )
  addGitHubFlags(addEventFlags(addSettingFlags(command, ['url', 'secretFile'])))
    .option('--yes', 'Do not ask for confirmation')
    .option('--dry-run', 'Only show the changes')
    .option('--json', 'Print one JSON object')
    .addHelpText('after', explanation)
    .action(ensure)
}

const explanation = `
The secret comes from --secret-file, GITHUB_WEBHOOKS_KEY or SECRET_KEY. A second run changes nothing.

Examples:
  hookserver hooks ensure acme/shop --url https://hooks.example/hooks --module hooks.ts
  hookserver hooks ensure acme --url https://hooks.example/hooks --events push,issues --dry-run
  hookserver hooks ensure app --url https://hooks.example/hooks       the webhook of your GitHub App`

async function ensure(text: string, flags: Flags): Promise<void> {
  requireConfirmable({ yes: flags.yes ?? flags.dryRun, otherwise: '--dry-run to see the changes' })
  const open = await openWebhooks(text, flags)
  const { target, api } = open
  const { url, secrets } = requireAddressAndSecret(open)
  reportUnavailable(open)
  const webhook = selectWebhook(await api.list(), target, url)
  const events = eventsFor(open, webhook)
  const before = webhook?.hasSecret ? await proofBefore(open, webhook, secrets, flags) : undefined
  const plan = planWebhook(webhook, { url, events, secretSource: secrets.source }, before)
  const print = (lines: readonly string[]) => (flags.json ? undefined : printLines(lines))
  const isAsked = plan.action !== 'keep' && !flags.yes && !flags.dryRun
  if (flags.json && isAsked) console.error(planLines(plan, open).join('\n'))
  await print(planLines(plan, open))
  const isApplied = plan.action !== 'keep' && !flags.dryRun && (await isConfirmed(plan, flags))
  if (plan.action !== 'keep' && !isApplied) await print([flags.dryRun ? 'Dry run: nothing was changed.' : 'Nothing was changed.'])
  const changed = isApplied ? await apply(plan, open, secrets.values[before?.index ?? 0] as string) : webhook
  const proof = isApplied && changed ? await proofAfter(plan, changed, open, secrets) : before
  const findings = plan.action === 'keep' || isApplied ? findingsOf(open, secrets, changed, proof) : []
  await print(findings.flatMap(findingLines))
  if (flags.json) await printLines([jsonLine(resultOf(plan, open, changed, isApplied, findings))])
  if (findings.some(({ state }) => state === 'failed')) process.exitCode = 1
}

/** @throws {UsageError} */
function requireAddressAndSecret({ url, secrets }: OpenWebhooks): { url: string; secrets: OwnSecrets } {
  if (url === undefined) throw new UsageError('--url is missing: pass the public address of the server, with its path')
  const { protocol, hostname } = new URL(url)
  if (protocol !== 'https:' && !isLoopback(hostname)) {
    throw new UsageError('--url: expected an https URL (http on loopback only), because payloads may be private')
  }
  if (secrets) return { url, secrets }
  throw new UsageError(
    'No secret for the webhook. Set GITHUB_WEBHOOKS_KEY to the secret of the server, or name its file with --secret-file. ' +
      'To create one: (umask 077; openssl rand -hex 32 > webhook-secret)',
  )
}

function reportUnavailable({ target, events }: OpenWebhooks): void {
  const unavailable = events?.unavailable ?? []
  if (unavailable.length === 0) return
  const owner = typeof target === 'object' && 'repository' in target ? 'a repository' : 'an organization'
  console.error(
    `hookserver: Left out, because GitHub does not send it to webhooks of ${owner}: ${unavailable.join(', ')}`,
  )
}

/**
 * The events to set; `undefined` to keep those of the webhook. GitHub's API cannot change the events of an App.
 * @throws {UsageError} if a new webhook has no events.
 */
function eventsFor({ target, events }: OpenWebhooks, webhook: WebhookDetails | undefined): string[] | undefined {
  if (target === 'app') return undefined
  if (events && events.events.length > 0) return events.events
  if (webhook && !events) return undefined
  throw new UsageError('No events for the webhook: pass the module with --module, or name them with --events')
}

/** A dry run sends nothing, and GitHub may not ping an inactive webhook: the last delivery is all that they have. */
function proofBefore(
  { api }: OpenWebhooks,
  webhook: WebhookDetails,
  { values }: OwnSecrets,
  { dryRun }: Flags,
): Promise<SecretProof | undefined> {
  const isPinged = !dryRun && webhook.active !== false
  return isPinged ? proveByPingOrLog(api, webhook, values) : proveByLastDelivery(api, webhook, values)
}

async function proveByPingOrLog(
  api: OpenWebhooks['api'],
  webhook: WebhookDetails,
  secrets: readonly string[],
): Promise<SecretProof | undefined> {
  return (await proveByPing(api, webhook, secrets)) ?? (await proveByLastDelivery(api, webhook, secrets))
}

async function isConfirmed({ action, webhook, changes }: WebhookPlan, { yes }: Flags): Promise<boolean> {
  const question = webhook ? `Make ${plural(changes.length, 'change')}?` : 'Create it?'
  return action !== 'keep' && confirm(question, { yes })
}

/** @param secret The one that GitHub has already, if that is ours. */
async function apply({ webhook, settings, changes }: WebhookPlan, { api }: OpenWebhooks, secret: string) {
  if (!webhook) return api.create(settings, secret)
  const { id } = webhook
  const isMoreThanConfig = changes.some(({ property }) => property === 'events' || property === 'active')
  if (isMoreThanConfig && id !== undefined) await api.update(id, settings, secret)
  else await api.updateConfig(id, settings, secret)
  return webhook
}

/** Of an App without a ping in its log, only the next delivery shows the secret. */
function proofAfter(plan: WebhookPlan, webhook: WebhookDetails, { api }: OpenWebhooks, { values }: OwnSecrets) {
  return plan.webhook ? proveByPing(api, webhook, values) : proveByFirstPing(api, webhook, values)
}

function findingsOf(
  open: OpenWebhooks,
  secrets: OwnSecrets,
  webhook: WebhookDetails | undefined,
  proof: SecretProof | undefined,
): Finding[] {
  const name = webhook ? nameOfWebhook(open.target, webhook) : nameOfTarget(open.target)
  const repair = `check it later: hookserver hooks check ${name}`
  const isApp = open.target === 'app'
  const withoutProof = isApp ? 'the log of the App has no ping to send again' : 'the log shows no new ping yet'
  return [
    ...proofFindings(proof, { secrets, repair, withoutProof, now: Date.now() }),
    ...(isApp && webhook && open.events ? [eventFinding(open.target, webhook, open.events.events)] : []),
  ]
}

function planLines({ action, webhook, changes }: WebhookPlan, { target }: OpenWebhooks): string[] {
  const name = webhook ? nameOfWebhook(target, webhook) : nameOfTarget(target)
  if (action === 'keep') return [`${name}: nothing to change`]
  const title = webhook ? `${name}: ${plural(changes.length, 'change')}` : `${name}: create a webhook`
  const rows = changes.map(({ property, from, to }) => {
    const value = from === undefined ? to : `${from} → ${to}`
    return `  ${property.padEnd(14)}${printable(value)}`
  })
  return [title, ...rows]
}

function resultOf(
  { action, changes }: WebhookPlan,
  { target }: OpenWebhooks,
  webhook: WebhookDetails | undefined,
  isApplied: boolean,
  findings: readonly Finding[],
): object {
  const name = webhook ? nameOfWebhook(target, webhook) : nameOfTarget(target)
  return { webhook: name, action, changes, applied: isApplied, findings }
}
