import { type ApiContext, type Route, route } from './route.ts'

/** What GitHub shows about the webhooks and the App of the server, and how many requests it allows. */
export const github = (api: ApiContext): Route[] => [
  route({
    method: 'get',
    path: '/github',
    operationId: 'getGitHubStatus',
    summary: "Check the webhooks and the App through GitHub's API, at most once a minute",
    answer: 'GitHub',
    handle: async () => ({ status: await api.gitHubStatus?.() }),
  }),
  route({
    method: 'get',
    path: '/github/limits',
    operationId: 'getRateLimits',
    summary: "List the rate limits of GitHub's API, without a request to GitHub",
    answer: 'RateLimits',
    handle: () => ({ limits: api.rateLimits?.list() ?? [] }),
  }),
]
