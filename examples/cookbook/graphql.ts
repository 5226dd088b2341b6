/** Adds new issues to a project, which needs GraphQL. docs/cookbook/graphql.md explains it. */
import { Hooks } from 'hookserver'

const hooks = new Hooks({ apiUrl: process.env.GITHUB_API_URL }) // unset for github.com

const addItem = `
  mutation ($project: ID!, $content: ID!) {
    addProjectV2ItemById(input: { projectId: $project, contentId: $content }) {
      item { id }
    }
  }`
interface Added {
  addProjectV2ItemById: { item: { id: string } }
}

hooks.on('issues.opened', { name: 'add-to-project' }, async ({ payload, octokit }) => {
  const { graphql } = await octokit()
  const variables = { project: process.env.PROJECT_ID, content: payload.issue.node_id }
  const { addProjectV2ItemById } = await graphql<Added>(addItem, variables)
  return addProjectV2ItemById.item.id // stored with the attempt
})

export default hooks
