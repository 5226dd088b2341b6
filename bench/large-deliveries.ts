import { once } from 'node:events'
import { request } from 'node:http'
import type { Name } from './contestants.ts'
import { push } from './delivery.ts'
import { median, startContestant } from './process.ts'

/** GitHub's cap is 25 MB; this stays just below it. */
const size = 25_000_000
const atOnce = 8

/** The most memory of a server that receives eight large deliveries at once, median of three fresh processes. */
export async function peaksOfLargeDeliveries(names: readonly Name[]): Promise<Map<Name, number>> {
  const peaks = new Map<Name, number[]>(names.map((name) => [name, []]))
  for (let round = 0; round < 3; round++) {
    for (const name of names) peaks.get(name)?.push(await peakOf(name))
  }
  return new Map([...peaks].map(([name, list]) => [name, median(list)]))
}

async function peakOf(name: Name): Promise<number> {
  const server = await startContestant(name)
  const commit = {
    id: '7ab5aeeb',
    message: 'Fix the build, and say why 🚀',
    timestamp: '2026-02-27T20:38:34+01:00',
    added: ['src/index.ts'],
  }
  const commits = Array.from({ length: Math.floor(size / (JSON.stringify(commit).length + 1)) }, () => commit)
  const delivery = push({ payload: { ref: 'refs/heads/main', commits } })
  const body = Buffer.from(delivery.body)
  await Promise.all(
    Array.from({ length: atOnce }, () =>
      send(server.url, { ...delivery.headers, 'content-length': String(body.length) }, body),
    ),
  )
  const { peak } = await server.usage()
  await server.stop()
  return peak
}

async function send(url: string, headers: Record<string, string>, body: Buffer): Promise<void> {
  const sending = request(url, { method: 'POST', headers })
  sending.end(body)
  const [response] = await once(sending, 'response')
  response.resume()
  if (response.statusCode !== 200) throw new Error(`A large delivery was answered ${response.statusCode}`)
}
