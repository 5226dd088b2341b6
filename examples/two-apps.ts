/** Two GitHub Apps in one process, with one inbox. Each App has a webhook, a secret and a key of its own. */
import { createServer } from 'node:http'
import { type AppOptions, Hooks } from 'hookserver'
import { hookserver } from 'hookserver/node'
import { sqlite } from 'hookserver/sqlite'

interface MyApp extends AppOptions {
  secret: string
}

/** The Apps, by the path of their webhook. */
const apps: Record<string, MyApp | undefined> = {
  '/triage': app('TRIAGE'),
  '/deploy': app('DEPLOY'),
}

/** Reads `TRIAGE_APP_ID`, `TRIAGE_PRIVATE_KEY` and `TRIAGE_SECRET`. */
function app(prefix: string): MyApp {
  const { [`${prefix}_APP_ID`]: id = '', [`${prefix}_PRIVATE_KEY`]: privateKey = '' } = process.env
  return { id, privateKey, secret: process.env[`${prefix}_SECRET`] ?? '' }
}

const hooks = new Hooks({
  inbox: sqlite(process.env.DATABASE ?? 'hookserver.db'),
  app: ({ source }) => apps[source], // the App that `octokit()` authenticates as
  apiUrl: process.env.GITHUB_API_URL, // for an Enterprise Server; unset for github.com
  validateIp: 'warn', // 'warn' because you will try it from your own machine first
})

hooks.on('issues.opened', { name: 'triage', source: '/triage' }, async ({ payload, octokit }) => {
  const { issue, repository } = payload
  const [owner, repo] = [repository.owner.login, repository.name]
  const { rest } = await octokit()
  await rest.issues.addLabels({ owner, repo, issue_number: issue.number, labels: ['triage'] })
})

hooks.on('push', { name: 'deploy', source: '/deploy', order: 'repository' }, ({ payload, log }) => {
  log.info({ sha: payload.after }, 'Deploying')
})

const mounts = Object.entries(apps).map(
  ([path, one]) => [path, hookserver(hooks, { path, secret: one?.secret })] as const,
)
const server = createServer((request, response) => {
  const [, receive] = mounts.find(([path]) => request.url === path) ?? []
  if (receive) return receive(request, response)
  response.writeHead(404).end()
})
server.listen(process.env.PORT ?? 8000, () => console.log('Listening on', server.address()))
