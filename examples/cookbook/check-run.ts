/** Checks the title of a pull request. docs/cookbook/check-run.md explains it. */
import { Hooks } from 'hookserver'

const hooks = new Hooks({ apiUrl: process.env.GITHUB_API_URL }) // unset for github.com

const events = ['pull_request.opened', 'pull_request.edited', 'pull_request.synchronize'] as const
hooks.on(events, { name: 'short-title', attempts: 5 }, ({ check, payload }) =>
  check('short title', async () => {
    const { length } = payload.pull_request.title
    if (length <= 72) return { title: `The title has ${length} characters` }
    return { conclusion: 'failure', title: 'The title is too long', summary: 'Use at most 72 characters.' }
  }),
)

export default hooks
