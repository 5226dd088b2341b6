/** Types of apps for `hookserver/probot`. */
import pino from 'pino'
import {
  type ApplicationFunction,
  type Context,
  createProbot,
  type Probot,
  ProbotOctokit,
} from '../../src/probot/index.ts'

export const app: ApplicationFunction = (probot, { addHandler, getRouter }) => {
  probot.on('issues.opened', async (context) => {
    const { title } = context.payload.issue
    const { data } = await context.octokit.rest.issues.createComment(context.issue({ body: title }))
    context.log.info({ id: data.id }, 'commented')
    // @ts-expect-error: this event has no pull request
    context.payload.pull_request
  })
  probot.on(['push', 'pull_request.closed'], { name: 'own', attempts: 3 }, (context) => {
    if (context.name === 'push') context.log.info(context.id)
  })
  probot.on('pull_request', handlePullRequest)
  probot.onAny(({ name }) => probot.log.info(name))
  probot.onError(({ errors, event }) => probot.log.error({ errors, id: event.id }))
  addHandler((_request, response) => response.end())
  getRouter('/path').get('/', () => {})
}

const handlePullRequest = async (context: Context<'pull_request'>): Promise<void> => {
  const config = await context.config<{ labels: string[] }>('labels.yml', { labels: [] })
  const { number } = context.payload.pull_request
  const labels: string[] = config?.labels ?? []
  const parameters: { owner: string; repo: string; issue_number: number } = context.issue()
  await context.octokit.issues.addLabels({ ...parameters, issue_number: number, labels })
  await context.octokit.paginate(context.octokit.rest.issues.listLabelsOnIssue, parameters)
  await context.octokit.graphql('query { viewer { login } }')
}

export const probot: Probot = createProbot({
  overrides: { log: pino(), Octokit: ProbotOctokit.defaults({ retry: {} }) },
})
export const received: Promise<void> = probot.receive({ id: '1', name: 'issues', payload: { action: 'opened' } })
