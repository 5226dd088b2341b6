import { expect, test } from 'vitest'
import { addedActions } from '../src/added-events.ts'
import { isKnownName, knownActions, knownNames } from '../src/events.ts'

test('every name of the lists is known, and occurs once', () => {
  const names = knownNames()
  expect(names.filter((name) => !isKnownName(name))).toEqual([])
  expect(new Set(names).size).toBe(names.length)
  expect(names).toEqual(
    expect.arrayContaining(['push', 'issues.opened', 'issues.status_changed', 'dismissal_request_dependabot.created']),
  )
})

test('the lists are sorted', () => {
  for (const list of [knownActions, addedActions]) {
    expect(Object.keys(list)).toEqual(Object.keys(list).toSorted())
    for (const actions of Object.values(list)) expect(actions.split(' ')).toEqual(actions.split(' ').toSorted())
  }
})

test.each([
  ['issues.opened', true],
  ['repository_dispatch.of the sender', true],
  ['*', true],
  ['push.opened', false],
  ['push.', false],
  ['isues', false],
  ['toString', false],
  ['issues.toString', false],
])('%s is known: %j', (name, isKnown) => {
  expect(isKnownName(name)).toBe(isKnown)
})
