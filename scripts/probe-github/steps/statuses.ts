/** Which status and text does the log show for each kind of failure? */
import { unreachableUrl } from '../../../src/github/app/manifest.ts'
import { isObject, objectIn, textIn } from '../../../src/runtime/json.ts'
import { type Attempt, readAttempt, waitForAttempts } from '../attempts.ts'
import { statusText } from '../github-api.ts'
import { type Probe, withStatus } from '../probe.ts'
import { type Answer, type Facts, NotAsked, type Step } from '../step.ts'
import { isRejection } from '../webhooks.ts'
import { kindOf } from './payloads.ts'

/** Creates a webhook, and reads the result of its ping. */
async function resultAt(probe: Probe, url: string): Promise<{ facts: Facts; duration: number }> {
  const webhook = await probe.webhooks.create({ url })
  const { attempts } = await waitForAttempts(probe, webhook)
  const { id, status, statusCode, duration } = attempts[0] as Attempt
  const entry = await readAttempt(probe, webhook, id)
  const { data } = await probe.api.request('GET', webhook.path)
  const last = isObject(data) ? objectIn(data, 'last_response') : undefined
  const shown = (text: string) => withoutAddress(text, webhook.url)
  const lastCode = typeof last?.code === 'number' ? last.code : null
  const [lastStatus, lastMessage] = [textIn(last, 'status'), textIn(last, 'message')]
  return {
    facts: {
      status: shown(status),
      statusCode,
      responsePayload: kindOf(objectIn(entry, 'response')?.payload),
      lastResponse: { code: lastCode, status: lastStatus ?? null, message: lastMessage ? shown(lastMessage) : null },
    },
    duration,
  }
}

/** A text without the address of the receiver, so that texts about different receivers can be compared. */
export function withoutAddress(text: string, address: string): string {
  const { href, origin, pathname, host, hostname } = new URL(address)
  return [href, origin + pathname, origin]
    .reduce((result, url) => result.replaceAll(url, '<url>'), text)
    .replaceAll(host, '<host>')
    .replaceAll(hostname, '<host>')
    .replaceAll(/(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?![\w.])/g, '<ip>')
}

async function askStatus(probe: Probe, url: string | undefined, flag: string): Promise<Answer> {
  if (url === undefined) throw new NotAsked(`pass ${flag}`)
  try {
    const { facts, duration } = await resultAt(probe, url)
    return { facts, measured: { duration } }
  } catch (error) {
    if (isRejection(error)) throw new NotAsked(`GitHub rejects the address: ${statusText(error.answer)}`)
    throw error
  }
}

/** Statuses of receivers that fail. */
const failures = [404, 500]

async function askAnswered(probe: Probe): Promise<Answer> {
  const { answering } = probe.receivers
  if (!answering?.includes('{status}')) return askStatus(probe, answering, '--answering-url')
  const results: Record<string, Facts> = {}
  for (const status of failures) {
    const { facts } = await resultAt(probe, withStatus(answering, status))
    results[status] = facts
  }
  return { facts: results }
}

export const statusSteps: readonly Step[] = [
  {
    name: 'status-unresolvable',
    question: 'Which status does an attempt have if the host does not exist?',
    ask: (probe) => askStatus(probe, unreachableUrl, ''),
  },
  {
    name: 'status-refused',
    question: 'Which status does an attempt have if the connection is refused?',
    ask: (probe) => askStatus(probe, probe.receivers.refusing, '--refusing-url'),
  },
  {
    name: 'status-bad-tls',
    question: 'Which status does an attempt have if the certificate is invalid?',
    ask: (probe) => askStatus(probe, probe.receivers.badTls, '--bad-tls-url'),
  },
  {
    name: 'status-answered',
    question: 'Which status does an attempt have if the receiver answers 404 or 500?',
    ask: askAnswered,
  },
  {
    name: 'status-timeout',
    question: 'Which status does an attempt have if the receiver does not answer?',
    ask: (probe) => askStatus(probe, probe.receivers.slow, '--slow-url'),
  },
]
