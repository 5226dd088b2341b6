import { expect, test } from 'vitest'
import { nearestFirst, suggestion } from '../../src/runtime/nearest.ts'

const events = ['push', 'issues', 'issue_comment', 'star']

test('sorts similar names first, and the others in alphabetical order', () => {
  expect(nearestFirst('isues', events)).toEqual(['issues', 'issue_comment', 'push', 'star'])
})

test.each([
  ['isues', ' Did you mean "issues"?'],
  ['issue', ' Did you mean "issues"?'],
  ['pus', ' Did you mean "push"?'],
  ['stem', ' Did you mean "star"?'],
  ['bar', ''],
  ['issue_com', ' Did you mean "issue_comment"?'],
  ['deployment', ''],
])('suggests for %s:%s', (name, text) => {
  expect(suggestion(name, events)).toBe(text)
})
