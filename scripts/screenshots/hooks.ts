/** The handlers of `npm run screenshots`. story.ts has the deliveries that the inbox already contains. */
import { setTimeout as wait } from 'node:timers/promises'
import { Hooks } from 'hookserver'

const hooks: Hooks = new Hooks()

hooks.on('push', (_data, _guid, { signal }) => wait(600_000, undefined, { signal }), {
  ...{ name: 'deploy', attempts: 4, order: 'repository' },
})
hooks.on('issues.opened', ({ issue }) => `#${issue.number} goes to the board`, { name: 'triage' })
hooks.on('issue_comment.created', ({ comment }) => ({ comment: comment.id, mentions: 0 }), { name: 'mentions' })
hooks.on('pull_request', ({ number }) => ({ number, labels: ['needs review'] }), { name: 'labels' })
hooks.on('workflow_run.completed', ({ workflow_run: { name, conclusion } }) => `${name}: ${conclusion}`, {
  name: 'ci-report',
})
hooks.on('release.published', ({ release }) => `${release.tag_name} announced`, { name: 'announce' })

export default hooks
