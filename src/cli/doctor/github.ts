/** Checks of GitHub's API and of the clock. */
import { fetchMeta } from '../../receiver/github-meta.ts'
import { type Finding, failed, fine, warning } from '../../runtime/finding.ts'
import { plural } from '../../runtime/format.ts'
import type { Config } from '../../server/config/resolve-config.ts'
import { receivesDeliveries } from '../../server/config/server-options.ts'
import type { Settings } from '../../settings.ts'
import { withCauses } from '../output.ts'

const what = 'GitHub'

/**
 * Fetches GitHub's address ranges, and checks the token and the clock. A failed request is a failed check if the server
 * needs GitHub's API, otherwise a warning.
 */
export async function* checkGitHub(config: Config, settings: Settings): AsyncGenerator<Finding> {
  const { apiUrl } = settings
  try {
    const { cidrs = [], tokenRejected } = await fetchMeta(settings, undefined)
    yield fine(what, `${apiUrl}/meta lists ${plural(cidrs.length, 'address range')}`)
    if (tokenRejected) yield warning(what, 'GitHub rejected the token (401)', 'renew the token')
    yield* checkClock(apiUrl)
  } catch (error) {
    yield unreachable(`cannot fetch ${apiUrl}/meta: ${withCauses(error)}`, config, settings)
  }
}

/** The finding if GitHub cannot be reached: a failure if these settings need GitHub's API, otherwise a warning. */
function unreachable(found: string, config: Config, { validateIp, ranges }: Settings): Finding {
  const { recover, pull } = config
  const needsRanges = receivesDeliveries(config) && validateIp === true && ranges === undefined
  const needsLog = recover.value !== undefined || pull.value !== undefined
  if (!needsRanges && !needsLog) {
    const later = `${ranges === undefined ? 'the origin check, ' : ''}recovery or --pull`
    return warning(what, `${found}. The server works without it`, `fix this before you turn on ${later}`)
  }
  const { env } = process
  if (env.HTTPS_PROXY ?? env.https_proxy) {
    return failed(what, found, 'HTTPS_PROXY is set, but Node.js ignores it by default: set NODE_USE_ENV_PROXY=1 too')
  }
  const effect = needsRanges
    ? ', or set --ranges. Without a list from the last 7 days, the server answers 503 to every delivery'
    : `. Until then no ${pull.value === undefined ? 'missed delivery is recovered' : 'delivery arrives'}`
  return failed(what, found, `let this machine reach it${effect}`)
}

/**
 * Half of what GitHub tolerates, so that the check fails early: GitHub rejects the tokens of an App if the clock of
 * this machine is more than a minute off.
 */
const clockToleranceSeconds = 30

async function* checkClock(apiUrl: string): AsyncGenerator<Finding> {
  const what = 'clock'
  const request = { method: 'HEAD', headers: { 'user-agent': 'hookserver' }, signal: AbortSignal.timeout(5000) }
  const { headers, body } = await fetch(`${apiUrl}/meta`, request)
  await body?.cancel()
  const date = Date.parse(headers.get('date') ?? '')
  if (Number.isNaN(date)) return
  const ahead = Math.round((Date.now() - date) / 1000)
  const found = `${Math.abs(ahead)} s ${ahead > 0 ? 'ahead of' : 'behind'} GitHub's`
  if (Math.abs(ahead) <= clockToleranceSeconds) yield fine(what, `${Math.abs(ahead)} s from GitHub's`)
  else yield failed(what, found, 'synchronize it with NTP: timedatectl set-ntp true')
}
