/** Checks of the webhooks that `--recover` and `--pull` name. */
import { formatTarget, missingCredentials, nameOfTarget, type Target } from '../../github/target.ts'
import { checkWebhook } from '../../github/webhooks/check-webhook.ts'
import { isNeededToPull } from '../../github/webhooks/findings.ts'
import type { OwnSecrets } from '../../github/webhooks/proof-findings.ts'
import { webhookEvents } from '../../github/webhooks/webhook-events.ts'
import { type Finding, failed, fine } from '../../runtime/finding.ts'
import { eventNamesOf, type HooksModule } from '../../server/config/hooks-module.ts'
import type { Config } from '../../server/config/resolve-config.ts'
import { recoverTargets } from '../../server/config/server-options.ts'
import type { Settings } from '../../settings.ts'
import { openApi } from '../webhooks/open-webhooks.ts'

interface Server {
  config: Config
  settings: Settings
  module: HooksModule | undefined
  /** `undefined` if the server verifies no signatures, or has no secret that is a text. */
  secrets: readonly string[] | undefined
  /** Output: the check adds the event names that GitHub uses in its answers. */
  usedNames: Set<string>
}

const what = 'webhook'

/**
 * A finding for each problem of a webhook, or one for a webhook without problems. Sends no ping. The checks for `--pull`
 * are a part of those for `--recover`, so a target of both gets the latter.
 */
export async function* checkWebhooks(server: Server): AsyncGenerator<Finding> {
  const { config, settings } = server
  const recovered = recoverTargets(config) ?? []
  const names = new Set(recovered.map(formatTarget))
  const pulled = (config.pull.value ?? []).filter((target) => !names.has(formatTarget(target)))
  for (const target of [...recovered, ...pulled]) {
    if (missingCredentials([target], settings) !== undefined) continue // `checkSettings` reports them
    try {
      yield* checkTarget(target, server, pulled.includes(target))
    } catch (error) {
      yield failed(what, (error as Error).message)
    }
  }
}

async function* checkTarget(target: Target, server: Server, isPulled: boolean): AsyncGenerator<Finding> {
  const { config, settings, module, secrets, usedNames } = server
  const names = module && eventNamesOf(module)
  const own: OwnSecrets | undefined = secrets && {
    values: secrets,
    source: 'the secret of the server',
    file: undefined,
  }
  // The command ends at Ctrl+C, so nothing has to abort the requests.
  const api = await openApi(target, settings, { signal: new AbortController().signal, retries: [] })
  const url = isPulled ? undefined : config.publicUrl.value
  const events = names && names.length > 0 ? webhookEvents(names, target) : undefined
  const shown = { target, api, settings, url, events, secrets: own }
  let isFine = true
  for await (const finding of checkWebhook(shown, { isPinged: false, usedNames })) {
    if (finding.state === 'fine' || (isPulled && !isNeededToPull(finding))) continue
    isFine = false
    yield { ...finding, what, found: `${nameOfTarget(target)}: ${finding.what}: ${finding.found}` }
  }
  if (isFine) yield fine(what, `${nameOfTarget(target)} has the right settings`)
}
