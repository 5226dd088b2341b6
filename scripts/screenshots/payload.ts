import type { AnyEventName } from 'hookserver'
import { sample } from 'hookserver/testing'

export interface About {
  repository: string
  sender: string
  /** The title of an issue, pull request, release or commit, or the name of a workflow. */
  title?: string
  number?: number
  branch?: string
  /** The conclusion of a workflow run. */
  conclusion?: string
}

type Member = Record<string, unknown>

/** A sample payload with other names, titles and numbers. */
export function payloadOf(name: AnyEventName, about: About): Member {
  const { repository, sender, title, number, branch = 'main', conclusion } = about
  const [owner = '', repo = ''] = repository.split('/')
  const text = JSON.stringify(sample(name))
    .replaceAll('Codertocat', owner)
    .replaceAll('Hello-World', repo)
    .replaceAll('"simple-tag"', JSON.stringify(branch))
  const payload = JSON.parse(text) as Member
  const within = (name: string, members: Member) => payload[name] && Object.assign(payload[name], members)
  within('repository', { name: repo, full_name: repository })
  within('sender', { login: sender })
  for (const [subject, place] of subjects) {
    within(subject, { title, number, html_url: `https://github.com/${repository}/${place}/${number}` })
  }
  within('release', { name: title, tag_name: branch })
  within('workflow_run', { name: title, conclusion, head_branch: branch })
  if ('commits' in payload) Object.assign(payload, pushOf(payload, { title, branch }))
  return payload
}

const subjects = [
  ['issue', 'issues'],
  ['pull_request', 'pull'],
] as const

function pushOf({ after }: Member, { title, branch }: { title: string | undefined; branch: string }): Member {
  const commit = { id: after, message: title, author: { name: 'octocat', username: 'octocat' } }
  return { ref: `refs/heads/${branch}`, deleted: false, head_commit: commit, commits: [commit] }
}
