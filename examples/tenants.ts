/** A secret for each repository: `SECRETS='{"186853002":"secret"}' node examples/tenants.ts`. The keys are the ids. */
import { createServer } from 'node:http'
import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/node'

const secrets: Record<string, string | undefined> = JSON.parse(process.env.SECRETS ?? '{}')

const hooks = new Hooks({
  validateIp: 'warn', // 'warn' because you will try it from your own machine first
  secret(headers) {
    const id = headers['x-github-hook-installation-target-id'] ?? ''
    const secret = secrets[id]
    return secret === undefined ? undefined : { secret, id }
  },
})

// A sender who knows the secret of one repository could sign a payload about another one.
hooks.use(({ payload, secretId }, next) => {
  if (String(payload.repository?.id) !== secretId) throw new Error(`Repository ${secretId} has signed for another one`)
  return next()
})
hooks.hook('push', ({ repository, commits }) => `${commits.length} commits in ${repository.full_name}`)

const server = createServer(hookserver(hooks))
server.listen(process.env.PORT ?? 8000, () => console.log('Listening on', server.address()))
