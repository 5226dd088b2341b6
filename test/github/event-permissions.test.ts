import { expect, test } from 'vitest'
import { isKnownName, knownEvents } from '../../src/events.ts'
import {
  eventPermissions,
  eventsNotForApps,
  eventsOfEveryApp,
  eventsWithoutPermission,
  eventsWithUnknownPermission,
} from '../../src/github/event-permissions.ts'

const others = [...eventsWithoutPermission, ...eventsWithUnknownPermission, ...eventsOfEveryApp, ...eventsNotForApps]

test('places each known event in exactly one list', () => {
  const placed = [...Object.keys(eventPermissions), ...others]
  expect(placed.toSorted()).toEqual(knownEvents().toSorted())
})

test('names only actions that the event has', () => {
  for (const [event, { writeActions = [] }] of Object.entries(eventPermissions)) {
    expect(
      writeActions.filter((action) => !isKnownName(`${event}.${action}`)),
      event,
    ).toEqual([])
  }
})
