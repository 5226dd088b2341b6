/** Payloads for the tests. */

const about = { repository: { full_name: 'acme/shop' }, sender: { login: 'octocat' } }

export const issue = (number: number, title = `Bug ${number}`) => ({
  ...about,
  action: 'opened',
  issue: { number, title, html_url: `https://github.com/acme/shop/issues/${number}` },
})

export const pullRequest = (number: number, repository = 'acme/shop') => ({
  ...about,
  action: 'opened',
  number,
  pull_request: { number, title: `Change ${number}`, html_url: `https://github.com/${repository}/pull/${number}` },
  repository: { full_name: repository },
})
