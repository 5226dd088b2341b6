/** Requests to the admin API: its lists, and the filters and searches of deliveries. */
const day = 24 * 60 * 60 * 1000

export const lists: readonly string[] = [
  '/deliveries',
  '/deliveries?limit=500',
  '/deliveries?before=500000',
  '/deliveries?state=dead',
  '/deliveries?state=done',
  '/deliveries?state=pending',
  '/deliveries?event=issues',
  '/deliveries?event=nothing',
  '/deliveries?action=opened',
  '/deliveries?action=closed',
  '/deliveries?repository=acme/repository-7',
  '/deliveries?sender=octocat-5',
  '/deliveries?source=/hooks',
  '/deliveries?source=/elsewhere',
  '/deliveries?guid=first',
  '/deliveries?ref=refs/heads/main',
  '/deliveries?ref=refs/heads/other',
  '/deliveries?sha=7ab5aeeb',
  '/deliveries?number=77',
  '/deliveries?handler=hook:push',
  '/deliveries?handler=unknown',
  '/deliveries?flag=conflict',
  '/deliveries?flag=replayed',
  '/deliveries?flag=pulled',
  `/deliveries?since=${Date.now() - day}`,
  `/deliveries?until=${Date.now() - day}`,
  '/deliveries?event=issues&state=dead',
  '/deliveries?repository=acme/repository-7&state=dead&event=push',
  '/rejections',
  '/handlers',
  '/handlers?window=7d',
  '/handlers/hook:push',
  '/stats',
]

/** Searches that columns answer, and searches that have to read payloads. */
export const searches: readonly string[] = [
  'q=state:dead event:issues',
  'q=repository:acme/repository-7',
  'q=sender:octocat-5 number:77',
  'q=title',
  'q="Title number 777777"',
  'q=nowhere',
  'q=pusher.name:unknown',
].map((search) => `/deliveries?${search.replaceAll(' ', '%20')}`)
