import { expect, test } from 'vitest'
import { knownActions } from '../../src/events.ts'
import {
  eventPermissions,
  eventsNotForApps,
  eventsOfEveryApp,
  eventsWithoutPermission,
} from '../../src/github/event-permissions.ts'

const others = [...eventsWithoutPermission, ...eventsOfEveryApp, ...eventsNotForApps]

test('places each known event in exactly one list', () => {
  const placed = [...Object.keys(eventPermissions), ...others]
  expect(placed.toSorted()).toEqual(Object.keys(knownActions).toSorted())
})

test('names only actions that the event has', () => {
  for (const [event, { writeActions = [] }] of Object.entries(eventPermissions)) {
    const actions = knownActions[event as keyof typeof knownActions].split(' ')
    expect(actions, event).toEqual(expect.arrayContaining([...writeActions]))
  }
})
