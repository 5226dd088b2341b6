/** The handlers of `npm run screenshots`. story.ts has the deliveries that the inbox already contains. */
import { setTimeout as wait } from 'node:timers/promises'
import { Hooks } from 'hookserver'

const hooks: Hooks = new Hooks()

hooks.on(
  'push',
  {
    ...{ name: 'deploy', attempts: 4, order: 'repository' },
  },
  ({ signal }) => wait(600_000, undefined, { signal }),
)
hooks.on('issues.opened', { name: 'triage' }, ({ payload }) => `#${payload.issue.number} goes to the board`)
hooks.on('issue_comment.created', { name: 'mentions' }, ({ payload }) => ({ comment: payload.comment.id, mentions: 0 }))
hooks.on('pull_request', { name: 'labels' }, ({ payload }) => ({ number: payload.number, labels: ['needs review'] }))
hooks.on(
  'workflow_run.completed',
  {
    name: 'ci-report',
  },
  ({
    payload: {
      workflow_run: { name, conclusion },
    },
  }) => `${name}: ${conclusion}`,
)
hooks.on('release.published', { name: 'announce' }, ({ payload }) => `${payload.release.tag_name} announced`)

export default hooks
