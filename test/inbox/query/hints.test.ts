import { expect, test } from 'vitest'
import { hintsFor } from '../../../src/inbox/query/hints.ts'
import { parseQuery } from '../../../src/inbox/query/parse-query.ts'

test.each([
  ['event:isues', /^Unknown event "isues"\. Did you mean "issues"\? If GitHub added this event after this version/],
  ['event:issues.opend', /^Unknown event "issues\.opend"\. Did you mean "issues\.opened"\?/],
])('a search for %s has a hint', (text, hint) => {
  expect(hintsFor(parseQuery(text))).toEqual([expect.stringMatching(hint)])
})

test.each(['event:issues', 'event:issues.opened', 'action:closed', 'pull_request.user.login:octocat', 'issues'])(
  'a search for %s has none',
  (text) => {
    expect(hintsFor(parseQuery(text))).toEqual([])
  },
)
