/** Checks a webhook: its settings, its secret and its last deliveries. */
import { type Finding, failed, warning } from '../../runtime/finding.ts'
import type { LoggedAttempt } from '../delivery-log.ts'
import { nameOfTarget, type Target, withoutSecrets } from '../target.ts'
import { deliveriesFinding, ensureCommand, repairOf, settingFindings } from './findings.ts'
import { AmbiguousWebhook, selectWebhook } from './plan.ts'
import { type OwnSecrets, proofFindings } from './proof-findings.ts'
import { proveSecret } from './prove-secret.ts'
import type { WebhookDetails } from './webhook-details.ts'
import { loggedNames, type WebhookEvents } from './webhook-events.ts'
import type { WebhooksApi } from './webhooks-api.ts'

/** The webhook of a target as it should be. */
export interface ExpectedWebhook {
  target: Target
  api: WebhooksApi
  /** The URL that GitHub delivers to. `undefined` if it is not known. */
  url: string | undefined
  /** `undefined` if it may have any events. */
  events: WebhookEvents | undefined
  /** `undefined` if there is no secret to compare with. */
  secrets: OwnSecrets | undefined
}

interface CheckOptions {
  isPinged: boolean
  /** Output: the check adds the event names that GitHub uses in its answers. */
  usedNames: Set<string>
}

/** A webhook as GitHub shows it, with its newest deliveries. */
export interface CheckedWebhook {
  webhook: WebhookDetails
  newest: LoggedAttempt[]
}

/**
 * Checks the webhook that the target and the URL name.
 * @returns `undefined` if they name no webhook, or several. Then the finding says so.
 */
export async function* checkWebhook(
  expected: ExpectedWebhook,
  { isPinged, usedNames }: CheckOptions,
): AsyncGenerator<Finding, CheckedWebhook | undefined, undefined> {
  const { target, api, url, events, secrets } = expected
  const webhooks = await api.list()
  for (const event of webhooks.flatMap((one) => one.events)) usedNames.add(event)
  const webhook = found(webhooks, target, url)
  if ('state' in webhook) {
    yield webhook
    return undefined
  }
  yield* settingFindings(target, webhook, { url, events: events?.events, secretFile: secrets?.file })
  yield* checkSecret(expected, webhook, isPinged)
  const newest = await api.log(webhook.id).newest()
  for (const name of loggedNames(newest)) usedNames.add(name)
  yield deliveriesFinding(target, webhook, newest, Date.now())
  return { webhook, newest }
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
  { target, api, secrets }: ExpectedWebhook,
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
