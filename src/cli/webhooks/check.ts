import type { Command } from 'commander'
import { cureForUnknown, knownEvents, unknownNames } from '../../events.ts'
import { checkWebhook } from '../../github/webhooks/check-webhook.ts'
import { type Finding, warning } from '../../runtime/finding.ts'
import { findingLines } from '../finding-lines.ts'
import { jsonLine, printLines } from '../output.ts'
import {
  addEventFlags,
  addGitHubFlags,
  addSettingFlags,
  type OpenWebhooks,
  openWebhooks,
  type WebhookFlags,
} from './open-webhooks.ts'

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
