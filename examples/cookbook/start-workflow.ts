/** Starts a workflow of GitHub Actions in another repository. docs/cookbook/start-workflow.md explains it. */
import { Hooks } from 'hookserver'

const hooks = new Hooks({ apiUrl: process.env.GITHUB_API_URL }) // unset for github.com

hooks.on('release.published', { name: 'update-site', attempts: 5 }, async ({ payload, repo, octokit, guid }) => {
  const { rest } = await octokit()
  const site = repo({ repo: 'site' }) // of the same owner
  const inputs = { version: payload.release.tag_name, delivery: guid }
  await rest.actions.createWorkflowDispatch({ ...site, workflow_id: 'update.yml', ref: 'main', inputs })
})

export default hooks
