/** Answers comments that mention the bot. docs/cookbook/answer-comment.md explains it. */
import { Hooks } from 'hookserver'

const hooks = new Hooks({ apiUrl: process.env.GITHUB_API_URL }) // unset for github.com
const mention = /(^|\s)@shop-bot\b/i

hooks.on('issue_comment.created', { name: 'answer' }, async ({ payload, octokit, issue, isBot }) => {
  const { comment } = payload
  if (isBot || !mention.test(comment.body)) return 'nothing to answer'
  const { paginate, rest } = await octokit()
  const marker = `<!-- answers ${comment.id} -->` // an attempt may run again after it has written the answer
  const later = await paginate(rest.issues.listComments, issue({ since: comment.created_at, per_page: 100 }))
  if (later.some(({ body }) => body?.includes(marker))) return 'answered before'
  const text = `@${comment.user?.login} A maintainer will answer within two days.`
  await rest.issues.createComment(issue({ body: `${text}\n\n${marker}` }))
  return 'answered'
})

export default hooks
