/** A bot that labels issues without activity, every night. docs/guides/schedules.md explains its schedule. */
import { createServer } from 'node:http'
import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/node'
import { sqlite } from 'hookserver/sqlite'

const hooks = new Hooks({
  inbox: sqlite(process.env.DATABASE ?? 'hookserver.db'),
  apiUrl: process.env.GITHUB_API_URL, // for an Enterprise Server; unset for github.com
})
const days = Number(process.env.STALE_DAYS ?? 60)

const nightly = { timezone: 'Europe/Berlin', each: 'repository' } as const
hooks.schedule('stale', '0 3 * * *', nightly, async ({ payload, octokit, log }) => {
  const { rest, paginate } = await octokit() // authenticates as the installation of the repository
  const repository = { owner: payload.repository.owner.login, repo: payload.repository.name }
  const before = Date.parse(payload.time) - days * 86_400_000
  const issues = await paginate(rest.issues.listForRepo, { ...repository, state: 'open', per_page: 100 })
  for (const { number, updated_at, labels, pull_request } of issues) {
    if (pull_request) continue // GitHub's list of issues contains pull requests
    const isStale = labels.some((label) => (typeof label === 'string' ? label : label.name) === 'stale')
    if (isStale || Date.parse(updated_at) > before) continue
    await rest.issues.addLabels({ ...repository, issue_number: number, labels: ['stale'] })
    log.info({ number }, 'Labeled a stale issue')
  }
})

const server = createServer(hookserver(hooks))
server.listen(process.env.PORT ?? 8000, () => console.log('Listening on', server.address()))

process.once('SIGTERM', async () => {
  server.close()
  await hooks.close()
})
