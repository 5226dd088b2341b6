/** A bot for a GitHub Enterprise Server. docs/cookbook/enterprise-server.md explains it. */
import { Hooks } from 'hookserver'

const hooks = new Hooks({
  apiUrl: process.env.GITHUB_API_URL ?? 'https://ghe.example/api/v3',
  token: process.env.HOOKSERVER_GITHUB_TOKEN, // GITHUB_TOKEN is only for github.com
  ranges: (process.env.GITHUB_ADDRESSES ?? '10.20.30.40').split(','), // those of the server
  replyTimeout: '29s', // the server waits for 30 s, github.com only for 10 s
})

hooks.on('issues.opened', { name: 'greet' }, async ({ octokit, issue, payload }) => {
  const { rest } = await octokit()
  await rest.issues.createComment(issue({ body: `Thank you, @${payload.sender.login}.` }))
})

export default hooks
