import { expect, test } from 'vitest'
import { addedActions } from '../src/added-events.ts'
import { cureForUnknown, describeUnknown, isKnownName, knownActions, knownNames, unknownNames } from '../src/events.ts'

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

test.each([
  ['no name', [], ['next', 'next.made', 'issues.moved', 'isues']],
  ['an event, whose actions are then known too', ['next', 'issues'], ['issues.moved', 'isues']],
  ['an action', ['issues.moved'], ['next', 'next.made', 'isues']],
])('names are unknown if GitHub has used %s', (_, used, unknown) => {
  const names = ['next', 'next.made', 'issues.moved', 'isues', 'isues', 'push']
  expect(unknownNames(names, new Set(used))).toEqual(unknown)
})

test('an unknown name is explained by a similar name, or by the spelling', () => {
  expect(describeUnknown('isues', 'ignore it')).toBe(
    'Unknown event "isues". Did you mean "issues"? If GitHub added this event after this version of hookserver, ignore it',
  )
  expect(cureForUnknown('pushes', 'ignore it', ['star'])).toMatch(/^Check the spelling\. If GitHub added/)
})
