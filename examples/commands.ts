/** A bot that deploys on the comment `/deploy production`. docs/guides/commands.md explains its command. */
import { createServer } from 'node:http'
import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/node'
import { sqlite } from 'hookserver/sqlite'

const hooks = new Hooks({
  inbox: sqlite(process.env.DATABASE ?? 'hookserver.db'),
  token: process.env.GITHUB_TOKEN, // or an App: GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY
  apiUrl: process.env.GITHUB_API_URL, // for an Enterprise Server; unset for github.com
  validateIp: 'warn', // 'warn' because you will try it from your own machine first
})
const environments = ['staging', 'production']

const deploy = {
  description: 'Deploys a branch, a tag or a commit. The default is the default branch.',
  permission: 'maintain',
  attempts: 1, // a second attempt could deploy again
} as const
hooks.command('/deploy <environment> [ref]', deploy, async ({ args, payload, octokit, reply }) => {
  const { environment, ref = payload.repository.default_branch } = args
  if (!environments.includes(environment)) return reply(`The environments are ${environments.join(' and ')}.`)
  const { rest } = await octokit()
  const repository = { owner: payload.repository.owner.login, repo: payload.repository.name }
  await rest.repos.createDeployment({ ...repository, ref, environment, auto_merge: false })
  await reply(`Started a deployment to ${environment}.`)
})

const server = createServer(hookserver(hooks))
server.listen(process.env.PORT ?? 8000, () => console.log('Listening on', server.address()))

process.once('SIGTERM', async () => {
  server.close()
  await hooks.close()
})
