/** Which settings of a webhook does a change keep? */
import { isObject, objectIn, textIn } from '../../../src/runtime/json.ts'
import { ping, readAttempt, waitForAttempts, waitForLog } from '../attempts.ts'
import { type Probe, quickUrl } from '../probe.ts'
import type { Answer, Step } from '../step.ts'

interface Change {
  /** Follows the path of the webhook. */
  path: string
  body: object
}

/** Changes a webhook that has a secret and the content type `json`, and reads the result. */
async function askChange(probe: Probe, changeTo: (url: string) => Change): Promise<Answer> {
  const webhook = await probe.webhooks.create({ url: quickUrl(probe) })
  const known = new Set((await waitForAttempts(probe, webhook)).attempts.map(({ id }) => id))
  const url = probe.webhooks.marked(quickUrl(probe))
  const { path, body } = changeTo(url)
  await probe.api.request('PATCH', webhook.path + path, { body })
  const { data } = await probe.api.request('GET', webhook.path)
  const config = isObject(data) ? objectIn(data, 'config') : undefined
  const shown = textIn(config, 'url')
  await ping(probe, webhook)
  const { attempts } = await waitForLog(probe, webhook, (log) => log.attempts.some(({ id }) => !known.has(id)))
  const next = attempts.find(({ id }) => !known.has(id))?.id ?? ''
  const headers = objectIn(objectIn(await readAttempt(probe, webhook, next), 'request'), 'headers') ?? {}
  return {
    facts: {
      url: shown === url ? 'changed' : shown === webhook.url ? 'kept' : 'other',
      contentType: textIn(config, 'content_type') ?? null,
      secretShown: textIn(config, 'secret') !== undefined,
      nextAttemptSigned: Object.keys(headers).some((name) => name.toLowerCase() === 'x-hub-signature-256'),
      events: isObject(data) && Array.isArray(data.events) ? data.events.map(String) : null,
    },
  }
}

export const configSteps: readonly Step[] = [
  {
    name: 'replace-config',
    question: 'Does PATCH /hooks/{id} with only a URL in config keep the secret and the type?',
    ask: (probe) => askChange(probe, (url) => ({ path: '', body: { config: { url } } })),
  },
  {
    name: 'merge-config',
    question: 'Does PATCH /hooks/{id}/config with only a URL keep the secret and the type?',
    ask: (probe) => askChange(probe, (url) => ({ path: '/config', body: { url } })),
  },
]
