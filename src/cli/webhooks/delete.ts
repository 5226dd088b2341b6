import type { Command } from 'commander'
import { nameOfTarget, withoutSecrets } from '../../github/target.ts'
import { selectWebhook } from '../../github/webhooks/plan.ts'
import { nameOfWebhook } from '../../github/webhooks/webhook-details.ts'
import { UsageError } from '../flags.ts'
import { jsonLine, printable, printLines } from '../output.ts'
import { confirm, requireConfirmable } from '../prompts.ts'
import { addGitHubFlags, openWebhooks, targetIn, type WebhookFlags } from './open-webhooks.ts'

interface Flags extends WebhookFlags {
  yes?: true
  dryRun?: true
}

export function addDelete(parent: Command): void {
  const command = parent
    .command('delete <target#id>')
    .summary('Delete a webhook')
    .description('Shows a webhook of a repository or an organization, asks, and deletes it with its log of deliveries.')
  addGitHubFlags(command)
    .option('--yes', 'Do not ask for confirmation')
    .option('--dry-run', 'Only show the webhook')
    .option('--json', 'Print one JSON object')
    .addHelpText('after', examples)
    .action(deleteWebhook)
}

const examples = `
Examples:
  hookserver webhooks list acme/shop           shows the ids
  hookserver webhooks delete acme/shop#7`

async function deleteWebhook(text: string, flags: Flags): Promise<void> {
  requireConfirmable({ yes: flags.yes ?? flags.dryRun, otherwise: '--dry-run to see the webhook' })
  const given = targetIn(text)
  if (given === 'app') {
    throw new UsageError(
      "GitHub's API cannot delete the webhook of an App: turn it off on the settings page of the App",
    )
  }
  if (given.id === undefined) {
    const name = nameOfTarget(given)
    throw new UsageError(
      `Which webhook of ${name}? Add its id (${name}#<id>), from: npx hookserver webhooks list ${name}`,
    )
  }
  const { target, api } = await openWebhooks(text, flags, { needsSecret: false })
  const webhook = selectWebhook(await api.list(), target, undefined)
  if (!webhook) throw new Error(`${nameOfTarget(target)} has no webhook`)
  const name = nameOfWebhook(target, webhook)
  const shown = printable(`${name} (${withoutSecrets(webhook.url)}; ${webhook.events.join(', ')})`)
  if (flags.dryRun && !flags.json) return void (await printLines([shown, 'Dry run: nothing was changed.']))
  const isDeleted = !flags.dryRun && (await confirm(`Delete ${shown}?`, { yes: flags.yes }))
  if (isDeleted) await api.delete(given.id)
  if (flags.json) await printLines([jsonLine({ webhook: name, deleted: isDeleted })])
  else await printLines([isDeleted ? `Deleted ${shown}.` : 'Nothing was changed.'])
}
