/** An Azure function, in version 4 of its programming model. docs/cookbook/azure-functions.md explains it. */
import { app, type HttpRequest, type HttpResponseInit } from '@azure/functions'
import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/web'

const hooks = new Hooks({
  secret: process.env.GITHUB_WEBHOOKS_KEY,
  ranges: process.env.HOOK_RANGES?.split(','), // HOOK_RANGES=127.0.0.1 to try it; the default is GitHub's addresses
})
hooks.hook('ping', () => 'pong')
hooks.hook('issues.opened', ({ issue }) => `#${issue.number} ${issue.title}`)

const receive = hookserver(hooks, {
  path: false, // Azure has matched the route
  // The function sees only the front end of Azure, which appends the address of its client to X-Forwarded-For.
  clientAddress: () => '127.0.0.1',
  trustProxy: 1,
})

export async function github(request: HttpRequest): Promise<HttpResponseInit> {
  const { method, url, headers } = request
  const response = await receive(new Request(url, { method, headers: [...headers], body: await request.arrayBuffer() }))
  return { status: response.status, headers: [...response.headers], body: await response.arrayBuffer() }
}

app.http('github', { route: 'hooks', methods: ['POST'], authLevel: 'anonymous', handler: github })
