/** Does GitHub accept the address that reaches no server? */
import { unreachableUrl } from '../../../src/github/app/manifest.ts'
import { statusText } from '../github-api.ts'
import type { Probe } from '../probe.ts'
import { type Answer, NotAsked, type Step } from '../step.ts'
import { isRejection } from '../webhooks.ts'

async function askWebhook({ webhooks }: Probe): Promise<Answer> {
  try {
    const { created } = await webhooks.create({ url: unreachableUrl })
    return { facts: { accepted: true, answer: statusText(created) } }
  } catch (error) {
    if (isRejection(error)) return { facts: { accepted: false, answer: statusText(error.answer) } }
    throw error
  }
}

async function askManifest({ manifestAddress, apiUrl }: Probe): Promise<Answer> {
  if (manifestAddress !== undefined) return { facts: { accepted: manifestAddress === 'accepted' } }
  throw new NotAsked(
    'GitHub has no API for this. Run "node dist/cli/main.js app create examples/hooks.ts --no-serve ' +
      `--api-url ${apiUrl} --output /tmp/probe.env", which sends a manifest with ${unreachableUrl}, and confirm the ` +
      'manifest in the browser. If GitHub creates the App, delete the App and /tmp/probe.env, and pass ' +
      '"--manifest-address accepted". If GitHub shows an error about the address, pass "--manifest-address rejected".',
  )
}

export const addressSteps: readonly Step[] = [
  {
    name: 'webhook-address',
    question: `Is a webhook at ${unreachableUrl} accepted?`,
    ask: askWebhook,
  },
  {
    name: 'manifest-address',
    question: `Is an App manifest with a webhook at ${unreachableUrl} accepted?`,
    ask: askManifest,
  },
]
