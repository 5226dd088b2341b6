/** Deploys on push: `GITHUB_WEBHOOKS_KEY=secret node examples/exec.ts` */
import { createServer } from 'node:http'
import { Hooks } from 'hookserver'
import { exec } from 'hookserver/exec'
import { hookserver } from 'hookserver/node'

// `warn`, because the first requests come from your own machine. The console shows the program's output.
const hooks = new Hooks({ validateIp: 'warn', logger: console })

hooks.hook('ping', () => 'pong')
// Without an inbox the program has nine seconds, the time limit of a reply. With an inbox you choose the limit.
hooks.on('push', exec('git', ['pull', '--ff-only'], { cwd: import.meta.dirname, branch: 'main' }), { name: 'deploy' })

const server = createServer(hookserver(hooks))
server.listen(process.env.PORT ?? 8000, () => console.log('Listening on', server.address()))

process.once('SIGTERM', async () => {
  server.close()
  await hooks.close({ grace: 5000 }) // after five seconds, running programs get SIGTERM
})
