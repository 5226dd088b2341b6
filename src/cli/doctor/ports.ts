import { responseText } from '../../runtime/untrusted-text.ts'
import type { Config } from '../../server/config.ts'
import { listen } from '../../server/listener.ts'
import type { Finding } from './finding.ts'

/** Whether the addresses can be listened on; where a server of ours does already, that is fine. */
export async function* checkPorts({ host, port, adminHost, adminPort, pull, role }: Config): AsyncGenerator<Finding> {
  const receives = role.value !== 'worker' && pull.value === undefined
  const listeners = [
    ...(receives ? [{ what: 'port', host: host.value, port: port.value, flag: 'port' }] : []),
    { what: 'admin port', host: adminHost.value, port: adminPort.value, flag: 'admin-port' },
  ]
  for (const { what, ...where } of listeners) {
    const name = `${where.host} port ${where.port}`
    try {
      const server = await listen(() => {}, where)
      await new Promise((resolve) => server.close(resolve))
      yield { what, state: 'fine', found: `${name} is free` }
    } catch (error) {
      const running = await isOurs(where)
      yield running
        ? { what, state: 'fine', found: `${name} is answered: a server is running` }
        : { what, state: 'failed', found: (error as Error).message }
    }
  }
}

async function isOurs({ host, port }: { host: string; port: number }): Promise<boolean> {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  try {
    const url = `http://${name.includes(':') ? `[${name}]` : name}:${port}/healthz`
    const answer = await fetch(url, { signal: AbortSignal.timeout(2000) })
    return answer.ok && (await responseText(answer, 1024)) === 'ok'
  } catch {
    return false
  }
}
