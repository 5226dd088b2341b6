import { Webhooks } from '@octokit/webhooks'

const webhooks = new Webhooks({ secret: process.env.GITHUB_WEBHOOKS_KEY })
webhooks.on('push', () => {})

export async function handler({ headers, body }) {
  await webhooks.verifyAndReceive({
    id: headers['x-github-delivery'],
    name: headers['x-github-event'],
    signature: headers['x-hub-signature-256'],
    payload: body,
  })
  return { statusCode: 200, body: 'ok' }
}
