/** A GitHub App and its Marketplace listing, whose webhook has another secret. docs/cookbook/marketplace.md explains it. */
import { createServer } from 'node:http'
import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/node'
import { sqlite } from 'hookserver/sqlite'

const inbox = sqlite(process.env.DATABASE ?? 'hookserver.db')
const hooks = new Hooks({ inbox, ranges: process.env.HOOK_RANGES?.split(',') }) // unset: GitHub's addresses
const plans = new Map<string, string>() // in production: a table

const purchases = { name: 'purchases', source: '/marketplace', order: () => 'purchases' } as const
hooks.on('marketplace_purchase', purchases, ({ action, payload }) => {
  const { account, plan } = payload.marketplace_purchase
  if (action === 'purchased' || action === 'changed') plans.set(account.login, plan.name)
  if (action === 'cancelled') plans.delete(account.login)
})
hooks.on('installation.created', { name: 'welcome', source: '/app' }, ({ payload, log }) => {
  const { account } = payload.installation
  const login = account && 'login' in account ? account.login : undefined
  log.info({ login, plan: plans.get(login ?? '') ?? 'free' }, 'Installed')
})

const app = hookserver(hooks, { path: '/app', secret: process.env.GITHUB_WEBHOOKS_KEY })
const marketplace = hookserver(hooks, { path: '/marketplace', secret: process.env.MARKETPLACE_SECRET })
export const server = createServer((request, response) => app(request, response, () => marketplace(request, response)))
server.listen(process.env.PORT ?? 8000, () => console.log('Listening on', server.address()))

process.once('SIGTERM', async () => {
  server.close()
  await hooks.close()
})
