/** A bot that answers issues as a GitHub App. docs/guides/github-app.md describes how to create the App and start the bot. */
import { createServer } from 'node:http'
import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/node'
import { sqlite } from 'hookserver/sqlite'

const hooks = new Hooks({
  inbox: sqlite(process.env.DATABASE ?? 'hookserver.db'),
  apiUrl: process.env.GITHUB_API_URL, // for an Enterprise Server; unset for github.com
  validateIp: 'warn', // 'warn' because you will try it from your own machine first
})

hooks.hook('issues.opened', async ({ issue, repository }, _guid, delivery) => {
  if (issue.user?.type === 'Bot') return // prevents two bots from answering each other forever
  const octokit = await delivery.octokit()
  const { data } = await octokit.rest.issues.createComment({
    owner: repository.owner.login,
    repo: repository.name,
    issue_number: issue.number,
    body: `Thank you, @${issue.user?.login}! A maintainer will look into it.`,
  })
  return data.html_url // the inbox stores it with the attempt
})

const server = createServer(hookserver(hooks))
server.listen(process.env.PORT ?? 8000, () => console.log('Listening on', server.address()))

process.once('SIGTERM', async () => {
  server.close()
  await hooks.close()
})
