/** How does the log show a payload? */
import { isObject, objectIn } from '../../../src/runtime/json.ts'
import { type Attempt, readAttempt, waitForAttempts } from '../attempts.ts'
import { type Probe, quickUrl } from '../probe.ts'
import type { Answer, Facts, Step } from '../step.ts'

async function askForm(probe: Probe): Promise<Answer> {
  return { facts: { form: await readPing(probe, 'form'), json: await readPing(probe, 'json') } }
}

async function readPing(probe: Probe, contentType: 'form' | 'json'): Promise<Facts> {
  const webhook = await probe.webhooks.create({ url: quickUrl(probe), contentType })
  const { attempts } = await waitForAttempts(probe, webhook)
  const entry = await readAttempt(probe, webhook, (attempts[0] as Attempt).id)
  const [request, response] = [objectIn(entry, 'request'), objectIn(entry, 'response')]
  const headers = objectIn(request, 'headers') ?? {}
  const type = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1]
  return {
    contentType: typeof type === 'string' ? type : null,
    payload: kindOf(request?.payload),
    responsePayload: kindOf(response?.payload),
  }
}

/** The type of a payload in the log. */
export function kindOf(payload: unknown): string {
  if (isObject(payload)) return 'object'
  if (payload === null) return 'null'
  if (typeof payload !== 'string') return Array.isArray(payload) ? 'list' : typeof payload
  if (payload === '') return 'empty text'
  if (payload.startsWith('payload=')) return 'text with a form'
  return payload.startsWith('{') ? 'text with JSON' : 'text'
}

export const payloadSteps: readonly Step[] = [
  {
    name: 'form-payload',
    question: 'How does the log show the payload of a form?',
    ask: askForm,
  },
]
