/** Lambda functions that get deliveries from Amazon SQS or EventBridge. docs/cookbook/queue.md explains it. */
import type { EventBridgeEvent, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import { Hooks, verify } from 'hookserver'

const hooks = new Hooks()
hooks.on('issues.opened', ({ payload, log }) => log.info({ title: payload.issue.title }, 'Opened'))

/** The handler of a queue. The messages have the body of the delivery, and its headers as attributes. */
export async function onMessages({ Records }: SQSEvent): Promise<SQSBatchResponse> {
  const results = await Promise.allSettled(Records.map(receive))
  const failed = Records.filter((_, index) => results[index]?.status === 'rejected')
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) } // SQS sends them again
}

async function receive({ body, messageAttributes }: SQSRecord): Promise<void> {
  const attribute = (name: string): string => messageAttributes[name]?.stringValue ?? ''
  // The gateway writes each request to the queue, also those of other senders.
  const secret = process.env.GITHUB_WEBHOOKS_KEY ?? ''
  if (!(await verify(secret, body, attribute('signature'))))
    return console.warn('Ignored a message with a wrong signature')
  await hooks.receive({ event: attribute('event'), guid: attribute('delivery'), payload: body })
}

/** The handler of a bus. The function that has put the event on the bus has verified its signature. */
export async function onEvent({ id, detail, ...event }: EventBridgeEvent<string, object>): Promise<void> {
  await hooks.receive({ event: event['detail-type'], guid: id, payload: detail })
}
