import type { Command } from 'commander'
import { cureForUnknown, knownEvents, unknownNames } from '../../events.ts'
import { nameOfTarget, type Target, withoutSecrets } from '../../github/target.ts'
import { AmbiguousWebhook, selectWebhook } from '../../github/webhooks/plan.ts'
import { proveSecret } from '../../github/webhooks/prove-secret.ts'
import type { WebhookDetails } from '../../github/webhooks/webhook-details.ts'
import { loggedNames } from '../../github/webhooks/webhook-events.ts'
import { type Finding, failed, findingLines, warning } from '../finding.ts'
import { jsonLine, printLines } from '../output.ts'
import {
  addEventFlags,
  addGitHubFlags,
  addSettingFlags,
  type OpenWebhooks,
  openWebhooks,
  type WebhookFlags,
} from './open-webhooks.ts'
import { proofFindings } from './proof-findings.ts'
import { deliveriesFinding, ensureCommand, repairOf, settingFindings } from './webhook-findings.ts'

interface Flags extends WebhookFlags {
  ping: boolean
}

export function addCheck(parent: Command): void {
  const command = parent
    .command('check <target>')
    .summary('Check a webhook, and prove its secret with a ping')
    .description(
      'Checks the settings, the secret and the last deliveries of a webhook, and shows how to fix each problem.',
    )
  addGitHubFlags(addEventFlags(addSettingFlags(command, ['publicUrl', 'secretFile'])))
    .option('--no-ping', 'Send no ping: prove the secret from the last delivery')
    .option('--json', 'Print one JSON object per line')
    .addHelpText('after', explanation)
    .action(check)
}

const explanation = `
Changes nothing. Exits with 1 if a check fails; warnings do not count.

Examples:
  hookserver webhooks check acme/shop#7
  hookserver webhooks check acme/shop --public-url https://hooks.example/hooks --module hooks.ts
  hookserver webhooks check app --no-ping`

async function check(text: string, flags: Flags): Promise<void> {
  const open = await openWebhooks(text, flags)
  for await (const finding of findingsOf(open, flags.ping)) {
    if (finding.state === 'failed') process.exitCode = 1
    await printLines(flags.json ? [jsonLine(finding)] : findingLines(finding))
  }
}

async function* findingsOf(open: OpenWebhooks, isPinged: boolean): AsyncGenerator<Finding> {
  const usedNames = new Set<string>()
  yield* checkWebhook(open, { isPinged, usedNames })
  for (const event of unknownNames(open.events?.events ?? [], usedNames)) {
    yield warning('events', `unknown: ${event}`, cureForUnknown(event, 'ignore this warning', knownEvents()))
  }
}

interface CheckOptions {
  isPinged: boolean
  /** Output: the check adds the event names that GitHub uses in its answers. */
  usedNames: Set<string>
}

/** Checks the webhook that the target and the URL name. */
export async function* checkWebhook(
  open: OpenWebhooks,
  { isPinged, usedNames }: CheckOptions,
): AsyncGenerator<Finding> {
  const { target, api, url, events, secrets } = open
  const webhooks = await api.list()
  for (const event of webhooks.flatMap((one) => one.events)) usedNames.add(event)
  const webhook = found(webhooks, target, url)
  if ('state' in webhook) {
    yield webhook
    return
  }
  yield* settingFindings(target, webhook, { url, events: events?.events, secretFile: secrets?.file })
  yield* checkSecret(open, webhook, isPinged)
  const log = await api.log(webhook.id).newest()
  for (const name of loggedNames(log)) usedNames.add(name)
  yield deliveriesFinding(target, webhook, log, Date.now())
}

function found(webhooks: readonly WebhookDetails[], target: Target, url: string | undefined): WebhookDetails | Finding {
  const what = 'url'
  const name = nameOfTarget(target)
  try {
    const webhook = selectWebhook(webhooks, target, url)
    if (webhook) return webhook
    const missing =
      url === undefined ? `${name} has no webhook` : `no webhook of ${name} delivers to ${withoutSecrets(url)}`
    return failed(what, missing, `create one: ${ensureCommand(name, url)}`)
  } catch (error) {
    if (!(error instanceof AmbiguousWebhook)) throw error
    return failed(what, error.found, error.cure)
  }
}

async function* checkSecret(
  { target, api, secrets }: OpenWebhooks,
  webhook: WebhookDetails,
  isPinged: boolean,
): AsyncGenerator<Finding> {
  const repair = repairOf(target, webhook, secrets?.file)
  if (!webhook.hasSecret) {
    yield failed('secret', 'none: GitHub does not sign', repair)
    return
  }
  if (!secrets) {
    const cure = 'set GITHUB_WEBHOOKS_KEY to the secret of the server, or name its file with --secret-file'
    yield warning('secret', 'GitHub signs, but there is no secret here to compare with', cure)
    return
  }
  const { values } = secrets
  const proof = await proveSecret(api, webhook, values, isPinged)
  yield* proofFindings(proof, { secrets, repair, withoutProof: 'the log shows no delivery', now: Date.now() })
}
