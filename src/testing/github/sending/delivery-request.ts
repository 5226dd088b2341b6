import { parseObject } from '../../../runtime/json.ts'
import { signedRequest, withAction } from '../../../samples/signed-request.ts'
import type { Hook } from '../world/hook.ts'

/** Header names with GitHub's capitals, which the deliveries API shows. */
const originalNames: Record<string, string> = Object.fromEntries(
  [
    'Accept',
    'User-Agent',
    'X-GitHub-Delivery',
    'X-GitHub-Enterprise-Host',
    'X-GitHub-Enterprise-Version',
    'X-GitHub-Event',
    'X-GitHub-Hook-ID',
    'X-GitHub-Hook-Installation-Target-ID',
    'X-GitHub-Hook-Installation-Target-Type',
    'X-Hub-Signature',
    'X-Hub-Signature-256',
  ].map((name) => [name.toLowerCase(), name]),
)

export interface Message {
  event: string
  guid: string
  payload: object
  /** The JSON text of the payload, if the test gave the payload as text. It is sent unchanged. */
  payloadText?: string | undefined
}

/**
 * The payload that a test gave as an object or as JSON text. An object without an action gets that of the name.
 * @param name Such as `issues.opened`.
 * @throws {TypeError} if the text is not a JSON object.
 */
export function payloadIn(name: string, given: object | string): Pick<Message, 'payload' | 'payloadText'> {
  if (typeof given !== 'string') return { payload: withAction(name, given) }
  const payload = parseObject(given)
  if (!payload) throw new TypeError('A payload given as text must be a JSON object')
  return { payload, payloadText: given }
}

/** The HTTP request for an event, according to the webhook's settings. */
export function deliveryRequest(
  hook: Hook,
  { event, guid, payload, payloadText }: Message,
  enterprise: string | undefined,
): { headers: Record<string, string>; body: string } {
  const { secret, contentType, owner } = hook
  const { headers, body } = signedRequest(event, {
    ...(secret !== undefined && { secret }),
    ...{ payload: payloadText ?? payload, guid, form: contentType === 'form' },
    headers: {
      'x-github-hook-id': String(hook.id),
      'x-github-hook-installation-target-id': String(owner.of.id),
      'x-github-hook-installation-target-type': owner.type,
      ...(enterprise !== undefined && {
        'x-github-enterprise-host': '127.0.0.1',
        'x-github-enterprise-version': enterprise,
      }),
    },
  })
  const names = Object.entries(headers).map(([name, value]) => [originalNames[name] ?? name, value])
  return { headers: Object.fromEntries(names), body }
}
