import { fetchMeta } from '../../receiver/github-meta.ts'
import { withCauses } from '../errors.ts'
import { counted } from '../printing.ts'
import type { Finding } from './finding.ts'

/** Seconds by which clocks may differ; an App's tokens are refused beyond a minute. */
const tolerance = 30

/** Whether GitHub's list of addresses can be had, and what time it is there. */
export async function* checkGitHub(apiUrl: string, token: string | undefined): AsyncGenerator<Finding> {
  const what = 'GitHub'
  try {
    const { cidrs = [], tokenRefused } = await fetchMeta({ apiUrl, token }, undefined)
    yield { what, state: 'fine', found: `${apiUrl}/meta lists ${counted(cidrs.length, 'range')} of addresses` }
    if (tokenRefused)
      yield { what, state: 'doubtful', found: 'the token is refused with 401', cure: 'renew GITHUB_TOKEN' }
  } catch (error) {
    const proxy = process.env.HTTPS_PROXY ?? process.env.https_proxy
    const cure = proxy
      ? 'there is a proxy in HTTPS_PROXY: have Node.js use it with NODE_USE_ENV_PROXY=1'
      : 'let this machine reach it, or give the addresses with the option ranges; until then every delivery is answered 503'
    yield { what, state: 'failed', found: `${apiUrl}/meta: ${withCauses(error)}`, cure }
    return
  }
  yield* checkClock(apiUrl)
}

async function* checkClock(apiUrl: string): AsyncGenerator<Finding> {
  const what = 'clock'
  const asked = { method: 'HEAD', headers: { 'user-agent': 'hookserver' }, signal: AbortSignal.timeout(5000) }
  const { headers, body } = await fetch(`${apiUrl}/meta`, asked)
  await body?.cancel()
  const there = Date.parse(headers.get('date') ?? '')
  if (Number.isNaN(there)) return
  const ahead = Math.round((Date.now() - there) / 1000)
  if (Math.abs(ahead) <= tolerance) yield { what, state: 'fine', found: `${Math.abs(ahead)} s from GitHub's` }
  else {
    const found = `${Math.abs(ahead)} s ${ahead > 0 ? 'ahead of' : 'behind'} GitHub's`
    yield { what, state: 'failed', found, cure: 'have it set by NTP: timedatectl set-ntp true' }
  }
}
