/**
 * Labels pull requests by the folders that they change. The maintainers of a repository choose the labels in
 * `.github/labeler.yml`:
 *
 *     labels:
 *       documentation: [docs/, README.md]
 *       ci: [.github/workflows/]
 *
 * A module for `npx hookserver serve examples/labeler.ts`. The App needs the permissions "Contents: read" and "Pull
 * requests: write". docs/guides/bots.md explains the members of a delivery that it uses.
 */
import { Hooks } from 'hookserver'
import * as v from 'valibot'

const hooks = new Hooks({ apiUrl: process.env.GITHUB_API_URL }) // unset for github.com

const settings = v.object({ labels: v.record(v.string(), v.array(v.string())) })

hooks.on(
  ['pull_request.opened', 'pull_request.synchronize'],
  { name: 'labeler' },
  async ({ config, changedFiles, octokit, issue, payload }) => {
    const found = await config('labeler.yml', settings)
    if (!found) return 'no labeler.yml'
    const { files } = await changedFiles()
    const present = payload.pull_request.labels.map(({ name }) => name)
    const missing = Object.entries(found.labels)
      .filter(([, folders]) => folders.some((folder) => files.some((file) => file.startsWith(folder))))
      .map(([label]) => label)
      .filter((label) => !present.includes(label))
    if (missing.length === 0) return 'no new label'
    const { rest } = await octokit()
    await rest.issues.addLabels(issue({ labels: missing }))
    return missing
  },
)

export default hooks
