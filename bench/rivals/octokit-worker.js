import { createWebMiddleware, Webhooks } from '@octokit/webhooks'

const webhooks = new Webhooks({ secret: "It's a Secret to Everybody" })
webhooks.on('push', () => {})

export default { fetch: createWebMiddleware(webhooks, { path: '/hooks' }) }
