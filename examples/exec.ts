/** Deploys on push: `GITHUB_WEBHOOKS_KEY=secret node examples/exec.ts` */
import { createServer } from 'node:http'
import { Hooks } from 'hookserver'
import { exec } from 'hookserver/exec'
import { hookserver } from 'hookserver/node'

// 'warn' because you will try it from your own machine first. `logger: console` shows the output of the program.
const hooks = new Hooks({ validateIp: 'warn', logger: console })

hooks.hook('ping', () => 'pong')
// Without an inbox, the program has nine seconds, because the reply waits for it. With an inbox, it has 15 minutes by
// default.
hooks.on('push', { name: 'deploy' }, exec('git', ['pull', '--ff-only'], { cwd: import.meta.dirname, branch: 'main' }))

const server = createServer(hookserver(hooks))
server.listen(process.env.PORT ?? 8000, () => console.log('Listening on', server.address()))

process.once('SIGTERM', async () => {
  server.close()
  await hooks.close({ grace: 5000 }) // running programs get SIGTERM after five seconds
})
