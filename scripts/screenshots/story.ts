/** The last hours of a shop's repositories, as the screenshots show them. */
import type { AnyEventName } from 'hookserver'
import type { DeliveryState } from '../../src/inbox/records.ts'
import type { About } from './payload.ts'

export interface Event {
  /** Minutes before now. */
  ago: number
  name: AnyEventName
  about: About
  state: DeliveryState
  handler?: string
  result?: string
  /** The errors of the failed attempts, in order. */
  errors?: readonly string[]
  /** Duration of an attempt, in milliseconds. */
  took?: number
}

const [shop, website, tools] = ['acme/shop', 'acme/website', 'acme/tools']
const [octocat, hubot, monalisa] = ['octocat', 'hubot', 'monalisa']

const unhealthy = [
  'Error: web-2 is not healthy: GET https://web-2.internal/healthz was answered 503',
  '    at checkHealth (file:///srv/hooks/deploy/health.ts:21:11)',
  '    at process.processTicksAndRejections (node:internal/process/task_queues:104:5)',
  '    at async rollOut (file:///srv/hooks/deploy/roll-out.ts:38:5)',
  '    at async deploy (file:///srv/hooks/deploy/index.ts:14:3)',
].join('\n')
const timedOut = [
  'TimeoutError: The board took longer than 10 s to answer',
  '    at addCard (file:///srv/hooks/board.ts:33:9)',
  '    at async triage (file:///srv/hooks/triage.ts:12:3)',
].join('\n')

export const story: readonly Event[] = [
  ...[
    push(305, website, octocat, 'Compress images before they are uploaded', 41_000),
    ran(301, website, 'CI', 'success'),
    opened(290, shop, monalisa, 118, 'Prices are shown without VAT in the cart'),
    ignored(288, 'star.created', { repository: tools, sender: monalisa }),
    pull(274, shop, hubot, 119, 'Update vitest from 5.1.0 to 5.1.1'),
    ran(270, shop, 'CI', 'success'),
    comment(262, shop, octocat, 118, 'Prices are shown without VAT in the cart'),
    push(241, tools, octocat, 'Read settings from a file', 9400),
    ran(236, tools, 'CI', 'success'),
    opened(228, tools, octocat, 57, 'The report has no totals'),
  ],
  {
    ...{ ago: 212, name: 'issues.opened', about: about(website, monalisa, 83, 'Page 404 has no link home') },
    ...{ state: 'dead', handler: 'triage', errors: Array<string>(4).fill(timedOut), took: 10_003 },
  },
  ...[
    pull(190, website, monalisa, 84, 'Lead from page 404 to the front page'),
    ran(184, website, 'CI', 'failure'),
    comment(171, website, octocat, 84, 'Lead from page 404 to the front page'),
    ran(158, website, 'CI', 'success'),
    push(151, website, monalisa, 'Lead from page 404 to the front page', 38_200),
    ignored(149, 'fork', { repository: tools, sender: hubot }),
    opened(133, shop, octocat, 120, 'Search finds nothing for "ü"'),
    comment(126, shop, monalisa, 120, 'Search finds nothing for "ü"'),
    pull(97, shop, octocat, 121, 'Normalize search terms'),
    ran(92, shop, 'CI', 'success'),
  ],
  {
    ...{ ago: 74, name: 'push', about: about(shop, octocat, undefined, 'Normalize search terms') },
    ...{ state: 'dead', handler: 'deploy', errors: Array<string>(4).fill(unhealthy), took: 63_400 },
  },
  ...[
    ran(71, shop, 'CI', 'success'),
    opened(58, shop, hubot, 122, 'Nightly backup took 14 minutes'),
    ignored(52, 'watch.started', { repository: shop, sender: monalisa }),
    pull(47, tools, hubot, 58, 'Update typescript from 7.0.1 to 7.0.2'),
    ran(44, tools, 'CI', 'failure'),
    comment(41, tools, octocat, 58, 'Update typescript from 7.0.1 to 7.0.2'),
    pull(33, shop, monalisa, 123, 'Show prices with VAT in the cart'),
    ran(29, shop, 'CI', 'success'),
    comment(26, shop, octocat, 123, 'Show prices with VAT in the cart'),
    ignored(23, 'star.created', { repository: shop, sender: hubot }),
  ],
  {
    ...{ ago: 19, name: 'issues.opened', about: about(shop, monalisa, 124, 'Receipts are sent twice') },
    ...{ state: 'retrying', handler: 'triage', errors: [timedOut, timedOut], took: 10_002 },
  },
  ...[
    released(16, tools, octocat, 'v2.4.0'),
    push(12, website, octocat, 'Say in the footer when we are open', 36_900),
    ran(8, website, 'CI', 'success'),
    pull(6, shop, octocat, 125, 'Send each receipt once'),
    comment(4, shop, monalisa, 125, 'Send each receipt once'),
    ran(2, shop, 'CI', 'success'),
  ],
]

function about(repository: string, sender: string, number?: number, title?: string): About {
  return { repository, sender, ...(number !== undefined && { number }), ...(title !== undefined && { title }) }
}

function push(ago: number, repository: string, sender: string, title: string, took: number): Event {
  const details = about(repository, sender, undefined, title)
  return {
    ago,
    name: 'push',
    about: details,
    state: 'done',
    handler: 'deploy',
    result: '{"machines":["web-1","web-2"]}',
    took,
  }
}

function opened(ago: number, repository: string, sender: string, number: number, title: string): Event {
  const result = `"#${number} goes to the board"`
  const details = about(repository, sender, number, title)
  return { ago, name: 'issues.opened', about: details, state: 'done', handler: 'triage', result, took: 180 + number }
}

function pull(ago: number, repository: string, sender: string, number: number, title: string): Event {
  const result = JSON.stringify({ number, labels: ['needs review'] })
  const details = { ...about(repository, sender, number, title), branch: `change-${number}` }
  return {
    ago,
    name: 'pull_request.opened',
    about: details,
    state: 'done',
    handler: 'labels',
    result,
    took: 240 + number,
  }
}

function comment(ago: number, repository: string, sender: string, number: number, title: string): Event {
  const details = about(repository, sender, number, title)
  return { ago, name: 'issue_comment.created', about: details, state: 'done', handler: 'mentions', took: 3 + (ago % 9) }
}

function ran(ago: number, repository: string, title: string, conclusion: string): Event {
  const details = { repository, sender: octocat, title, conclusion }
  const result = `"${title}: ${conclusion}"`
  return {
    ago,
    name: 'workflow_run.completed',
    about: details,
    state: 'done',
    handler: 'ci-report',
    result,
    took: 90 + ago,
  }
}

function released(ago: number, repository: string, sender: string, title: string): Event {
  const details = { repository, sender, title, branch: title }
  const result = `"${title} announced"`
  return { ago, name: 'release.published', about: details, state: 'done', handler: 'announce', result, took: 412 }
}

function ignored(ago: number, name: AnyEventName, details: About): Event {
  return { ago, name, about: details, state: 'ignored' }
}
