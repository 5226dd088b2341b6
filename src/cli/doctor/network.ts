import { fetchMeta } from '../../receiver/github-meta.ts'
import { responseText } from '../../runtime/untrusted-text.ts'
import type { Config } from '../../server/config/resolve-config.ts'
import { listen } from '../../server/listener.ts'
import { plural, withCauses } from '../output.ts'
import { doubtful, type Finding, failed, fine } from './finding.ts'

/** Checks that the listeners can bind; a running hookserver on a port is fine. */
export async function* checkPorts({ host, port, adminHost, adminPort, pull, role }: Config): AsyncGenerator<Finding> {
  const receives = role.value !== 'worker' && pull.value === undefined
  const listeners = [
    ...(receives ? [{ what: 'port', host: host.value, port: port.value, flag: 'port' }] : []),
    { what: 'admin port', host: adminHost.value, port: adminPort.value, flag: 'admin-port' },
  ]
  for (const { what, ...address } of listeners) {
    const name = `${address.host} port ${address.port}`
    try {
      const server = await listen(() => {}, address)
      await new Promise((resolve) => server.close(resolve))
      yield fine(what, `${name} is free`)
    } catch (error) {
      yield (await isHookserver(address))
        ? fine(what, `${name} is in use: a server is running`)
        : failed(what, (error as Error).message)
    }
  }
}

async function isHookserver({ host, port }: { host: string; port: number }): Promise<boolean> {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  try {
    const url = `http://${name.includes(':') ? `[${name}]` : name}:${port}/healthz`
    const answer = await fetch(url, { signal: AbortSignal.timeout(2000) })
    return answer.ok && (await responseText(answer, 1024)) === 'ok'
  } catch {
    return false
  }
}

/** GitHub rejects the tokens of an App whose clock is more than a minute off. */
const clockToleranceSeconds = 30

/** Checks that GitHub's list of addresses can be fetched, and that the clock agrees with GitHub's. */
export async function* checkGitHub(apiUrl: string, token: string | undefined): AsyncGenerator<Finding> {
  const what = 'GitHub'
  try {
    const { cidrs = [], tokenRejected } = await fetchMeta({ apiUrl, token }, undefined)
    yield fine(what, `${apiUrl}/meta lists ${plural(cidrs.length, 'range')} of addresses`)
    if (tokenRejected) {
      yield doubtful(what, 'GitHub rejected the token (401)', 'renew GITHUB_TOKEN')
    }
  } catch (error) {
    const proxy = process.env.HTTPS_PROXY ?? process.env.https_proxy
    const cure = proxy
      ? 'HTTPS_PROXY names a proxy: have Node.js use it with NODE_USE_ENV_PROXY=1'
      : 'let this machine reach it, or set the addresses with the option ranges; until then every delivery is answered 503'
    yield failed(what, `${apiUrl}/meta: ${withCauses(error)}`, cure)
    return
  }
  yield* checkClock(apiUrl)
}

async function* checkClock(apiUrl: string): AsyncGenerator<Finding> {
  const what = 'clock'
  const request = { method: 'HEAD', headers: { 'user-agent': 'hookserver' }, signal: AbortSignal.timeout(5000) }
  const { headers, body } = await fetch(`${apiUrl}/meta`, request)
  await body?.cancel()
  const date = Date.parse(headers.get('date') ?? '')
  if (Number.isNaN(date)) return
  const ahead = Math.round((Date.now() - date) / 1000)
  if (Math.abs(ahead) <= clockToleranceSeconds) {
    yield fine(what, `${Math.abs(ahead)} s from GitHub's`)
    return
  }
  const found = `${Math.abs(ahead)} s ${ahead > 0 ? 'ahead of' : 'behind'} GitHub's`
  yield failed(what, found, 'synchronize it with NTP: timedatectl set-ntp true')
}
