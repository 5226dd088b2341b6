/** Runs a server in the process of the test, as `hookserver serve` does, and reads its metrics. */
import { onTestFinished } from 'vitest'
import type { Hooks } from '../../src/hooks.ts'
import { resolveConfig } from '../../src/server/config/resolve-config.ts'
import { type Service, serve } from '../../src/server/serve.ts'
import { childLogger } from '../../src/telemetry/logger.ts'
import { type SignedRequestOptions, signedRequest } from '../../src/testing/index.ts'
import { inboxFile } from '../inbox/stores.ts'
import { Recorder } from '../recorder.ts'
import { type Family, parseOpenMetrics } from './metrics/openmetrics.ts'

type AtTheEnd = (work: () => Promise<void>) => void

/** The current secret and the old one. */
export const secrets: readonly string[] = ['the secret of today', 'the secret of yesterday']

export const adminToken = 'a-token-that-is-not-guessed'

export class Watched {
  readonly service: Service

  constructor(service: Service) {
    this.service = service
  }

  /** Delivers an event as GitHub does. @returns the status of the answer. */
  async deliver(event: string, options: SignedRequestOptions = {}): Promise<number> {
    const request = signedRequest(event, { secret: secrets[0] as string, payload: {}, ...options })
    return (await fetch(this.service.publicUrl as string, request)).status
  }

  /** All metrics by their names, from a strict parser of OpenMetrics. */
  async scrape(): Promise<Map<string, Family>> {
    const headers = { accept: 'application/openmetrics-text' }
    const text = await (await fetch(`${this.service.adminUrl}/metrics`, { headers })).text()
    return new Map(parseOpenMetrics(text).map((family) => [metricName(family), family]))
  }

  /** The value of a series, such as `name{label="value"}`. `undefined` if there is none. */
  async value(series: string): Promise<number | undefined> {
    const all = [...(await this.scrape()).values()].flatMap(({ samples }) => samples)
    return all.find(({ name, labels }) => written(name, labels) === series)?.value
  }
}

/** The name of a metric: that of its samples, or for a histogram the start of that name. */
function metricName({ name, type }: Family): string {
  if (type === 'counter') return `${name}_total`
  return type === 'info' ? `${name}_info` : name
}

function written(name: string, labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`)
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`
}

/** Starts a server with these flags on free ports. */
export async function watch(
  hooks: Hooks | undefined,
  flags: Readonly<Record<string, string>> = {},
  atTheEnd: AtTheEnd = onTestFinished,
): Promise<Watched> {
  const fixed = {
    host: '127.0.0.1',
    port: '0',
    adminPort: '0',
    grace: '1ms',
    adminToken,
    database: inboxFile(atTheEnd),
  }
  const config = resolveConfig({ flags: { ...fixed, ...flags }, env: {} })
  const module = hooks && { name: 'the module of the test', hooks, config: undefined }
  const service = await serve({ config, module, secret: secrets, logger: childLogger(new Recorder()) })
  atTheEnd(() => service.close())
  return new Watched(service)
}
