/** Deploys only the changed packages of a monorepo. docs/cookbook/monorepo.md explains it. */
import { Discard, Hooks } from 'hookserver'

const hooks = new Hooks({ apiUrl: process.env.GITHUB_API_URL }) // unset for github.com

const packages = {
  api: ['packages/api/**', 'packages/shared/**', '!**/*.md'],
  web: ['packages/web/**', 'packages/shared/**', '!**/*.md'],
}

for (const [name, paths] of Object.entries(packages)) {
  hooks.on('push', { name: `deploy-${name}`, paths, order: 'repository' }, async ({ payload, octokit, repo }) => {
    if (payload.ref !== `refs/heads/${payload.repository.default_branch}`) throw new Discard('another branch')
    const { rest } = await octokit()
    const deployment = { ref: payload.after, environment: name, auto_merge: false, required_contexts: [] }
    await rest.repos.createDeployment(repo(deployment))
  })
}

export default hooks
