/** A Probot app: "hookserver serve probot.ts" runs it with an inbox. docs/guides/probot.md describes its environment. */
import type { Probot } from 'hookserver/probot'

export default (app: Probot) => {
  app.on('issues.opened', async (context) => {
    const marker = `<!-- ${context.id} -->`
    const { data } = await context.octokit.rest.issues.listComments(context.issue())
    if (data.some(({ body }) => body?.includes(marker))) return
    await context.octokit.rest.issues.createComment(context.issue({ body: `Thank you ${marker}` }))
  })
}
