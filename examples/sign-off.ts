/**
 * Checks that each commit of a pull request has the line `Signed-off-by` of its author, which `git commit --signoff` adds.
 * Projects with a Developer Certificate of Origin require it: https://developercertificate.org
 *
 * A module for `npx hookserver serve examples/sign-off.ts`. The App needs the permissions "Checks: write" and "Pull
 * requests: read". docs/guides/bots.md explains the members of a delivery that it uses.
 */
import { Hooks } from 'hookserver'

const hooks = new Hooks({ apiUrl: process.env.GITHUB_API_URL }) // unset for github.com

interface Commit {
  message: string
  author: { name?: string; email?: string } | null
}

const isSignedOff = ({ message, author }: Commit): boolean =>
  message
    .split('\n')
    .some((line) => line.trim().toLowerCase() === `signed-off-by: ${author?.name} <${author?.email}>`.toLowerCase())

hooks.on(
  ['pull_request.opened', 'pull_request.reopened', 'pull_request.synchronize'],
  { name: 'sign-off', attempts: 5 },
  ({ check, octokit, pullRequest }) =>
    check('DCO', async () => {
      const { paginate, rest } = await octokit()
      const commits = await paginate(rest.pulls.listCommits, pullRequest({ per_page: 100 }))
      const own = commits.filter(({ parents }) => parents.length < 2) // a merge commit adds no code
      const unsigned = own.filter(({ commit }) => !isSignedOff(commit))
      if (unsigned.length === 0) return { title: 'All commits are signed off' }
      const list = unsigned.map(({ sha, commit }) => `- ${sha.slice(0, 7)} ${commit.message.split('\n')[0]}`)
      return {
        conclusion: 'failure',
        title: `${unsigned.length} of ${own.length} commits are not signed off`,
        summary: `Sign them off with \`git rebase --signoff\`, and push again:\n\n${list.join('\n')}`,
      }
    }),
)

export default hooks
