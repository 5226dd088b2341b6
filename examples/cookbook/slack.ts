/** Writes to a channel of Slack when a delivery has failed for good. docs/cookbook/slack.md explains it. */
import { type HandlerFailure, Hooks, Unrecoverable } from 'hookserver'

const hooks = new Hooks({ onDead: alert })

/** Slack reads `&`, `<` and `>` as markup. */
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

async function alert({ error, delivery, handler }: HandlerFailure): Promise<void> {
  const { id, event, repository = 'no repository' } = delivery
  const [reason = ''] = String(error).split('\n')
  const text = `${handler} gave up on ${event} of ${repository}, delivery ${id}: ${reason.slice(0, 300)}`
  const response = await fetch(process.env.SLACK_WEBHOOK_URL ?? '', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: escaped(text) }),
    signal: AbortSignal.timeout(10_000),
  })
  if (!response.ok) throw new Error(`Slack answered ${response.status}`) // hookserver logs it
}

hooks.on('push', { name: 'deploy' }, async ({ payload, signal }) => {
  const response = await fetch(process.env.DEPLOY_URL ?? '', { method: 'POST', body: payload.after, signal })
  if (response.status === 404) throw new Unrecoverable('The service does not know this commit') // dead at once
  if (!response.ok) throw new Error(`The deployment answered ${response.status}`)
})

export default hooks
