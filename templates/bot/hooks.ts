/** A bot that answers new issues. `npm run dev` serves it, and restarts when this file changes. */
import { Hooks } from 'hookserver'

// The App, and the secret of its webhook, come from the variables in .env.
const hooks = new Hooks()

/** Tells `hookserver app create` that the bot writes comments. The events of the handlers do not show this. */
export const config = { permissions: { issues: 'write' } }

hooks.hook('issues.opened', async ({ issue, repository }, _guid, delivery) => {
  if (issue.user?.type === 'Bot') return // prevents two bots from answering each other forever
  const octokit = await delivery.octokit()
  const { data } = await octokit.rest.issues.createComment({
    owner: repository.owner.login,
    repo: repository.name,
    issue_number: issue.number,
    body: `Thank you, @${issue.user?.login}! A maintainer will look into it.`,
  })
  return data.html_url // stored with the attempt
})

export default hooks
