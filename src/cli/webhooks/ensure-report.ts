/** Prints the plan of `webhooks ensure`, and the findings from the ping. */
import { describeUnknown, knownEvents, unknownNames } from '../../events.ts'
import { nameOfTarget } from '../../github/target.ts'
import { eventFinding } from '../../github/webhooks/findings.ts'
import type { WebhookPlan } from '../../github/webhooks/plan.ts'
import type { OwnSecrets } from '../../github/webhooks/proof-findings.ts'
import { proofFindings, reasonWithoutPing } from '../../github/webhooks/proof-findings.ts'
import type { SecretProof } from '../../github/webhooks/secret-proof.ts'
import { nameOfWebhook, type WebhookDetails } from '../../github/webhooks/webhook-details.ts'
import { loggedNames } from '../../github/webhooks/webhook-events.ts'
import type { Finding } from '../../runtime/finding.ts'
import { plural } from '../../runtime/format.ts'
import { findingLines } from '../finding-lines.ts'
import { jsonLine, printable, printLines } from '../output.ts'
import type { OpenWebhooks } from './open-webhooks.ts'

interface ReportFlags {
  dryRun?: true
  json?: true
}

interface Result {
  open: OpenWebhooks
  flags: ReportFlags
  secrets: OwnSecrets
  plan: WebhookPlan
  /** `undefined` if the webhook does not exist. */
  webhook: WebhookDetails | undefined
  proof: SecretProof | undefined
  isApplied: boolean
}

/**
 * Reports events that GitHub may not have, or does not send to this webhook.
 * @param webhooks All webhooks of the target. They may have events that this version of hookserver does not know.
 */
export async function reportEvents(
  { target, api, events }: OpenWebhooks,
  webhooks: readonly WebhookDetails[],
  webhook: WebhookDetails | undefined,
): Promise<void> {
  let unknown = unknownNames(events?.events ?? [], new Set(webhooks.flatMap((one) => one.events)))
  // Reads the log only if needed. A webhook for all events does not name them, but its log does.
  if (unknown.length > 0 && webhook) {
    unknown = unknownNames(unknown, new Set(loggedNames(await api.log(webhook.id).newest())))
  }
  for (const event of unknown) {
    const text = describeUnknown(event, 'continue: GitHub rejects only events that it does not have', knownEvents())
    console.error(printable(`hookserver: ${text}`))
  }
  const unavailable = events?.unavailable ?? []
  if (unavailable.length === 0) return
  const owner = typeof target === 'object' && 'repository' in target ? 'a repository' : 'an organization'
  console.error(
    `hookserver: Left out events that GitHub does not send to webhooks of ${owner}: ${unavailable.join(', ')}`,
  )
}

/** Prints the findings, and sets the exit code. */
export async function report(result: Result): Promise<void> {
  const { flags, open, plan, webhook, isApplied } = result
  const findings = findingsOf(result)
  if (flags.json) await printLines([jsonLine(objectOf(plan, open, { webhook, isApplied, findings }))])
  else await printLines(findings.flatMap(findingLines))
  if (findings.some(({ state }) => state === 'failed')) process.exitCode = 1
}

/** Reports a plan that was not carried out. */
export async function reportUnchanged(
  plan: WebhookPlan,
  open: OpenWebhooks,
  { json, dryRun }: ReportFlags,
): Promise<void> {
  const { webhook } = plan
  const text = dryRun ? 'Dry run: nothing was changed.' : 'Nothing was changed.'
  await printLines([json ? jsonLine(objectOf(plan, open, { webhook, isApplied: false, findings: [] })) : text])
}

function findingsOf({ open, secrets, webhook, proof }: Result): Finding[] {
  const name = nameIn(open, webhook)
  const isApp = open.target === 'app'
  const repair = `check it later: npx hookserver webhooks check ${name}`
  return [
    ...proofFindings(proof, { secrets, repair, withoutProof: reasonWithoutPing(open.target), now: Date.now() }),
    ...(isApp && webhook && open.events ? [eventFinding(open.target, webhook, open.events.events)] : []),
  ]
}

const nameIn = ({ target }: OpenWebhooks, webhook: WebhookDetails | undefined): string =>
  webhook ? nameOfWebhook(target, webhook) : nameOfTarget(target)

export function planLines({ action, webhook, changes }: WebhookPlan, open: OpenWebhooks): string[] {
  const name = nameIn(open, webhook)
  if (action === 'keep') return [`${name}: nothing to change`]
  const title = webhook ? `${name}: ${plural(changes.length, 'change')}` : `${name}: create a webhook`
  const rows = changes.map(({ property, from, to }) => {
    const value = from === undefined ? to : `${from} → ${to}`
    return `  ${property.padEnd(14)}${printable(value)}`
  })
  return [title, ...rows]
}

function objectOf(
  { action, changes }: WebhookPlan,
  open: OpenWebhooks,
  { webhook, isApplied, findings }: Pick<Result, 'webhook' | 'isApplied'> & { findings: readonly Finding[] },
): object {
  return { webhook: nameIn(open, webhook), action, changes, applied: isApplied, findings }
}
