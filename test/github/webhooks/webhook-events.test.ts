import { describe, expect, test } from 'vitest'
import type { Target } from '../../../src/github/target.ts'
import { compareEvents, webhookEvents } from '../../../src/github/webhooks/webhook-events.ts'

const repository: Target = { repository: 'acme/shop' }

describe('the events of a webhook', () => {
  test.each<[string[], Target, string[], string[]]>([
    [['push', 'issues.opened', 'issues.closed', 'ping'], repository, ['issues', 'push'], []],
    [['push', '*'], repository, ['*'], []],
    [['team', 'push', 'installation.created'], repository, ['push'], ['installation', 'team']],
    [['team', 'installation.created'], { organization: 'acme' }, ['team'], ['installation']],
    [['push', 'installation.created', 'github_app_authorization'], 'app', ['push'], []],
    [['organization_custom_property_values'], repository, [], ['organization_custom_property_values']],
    [
      ['organization_custom_property', 'organization_custom_property_values'],
      { organization: 'acme' },
      ['organization_custom_property_values'],
      ['organization_custom_property'],
    ],
    [['dismissal_request_dependabot.created'], repository, ['dismissal_request_dependabot'], []],
    [['an_event_of_next_year'], repository, ['an_event_of_next_year'], []],
  ])('for handlers of %j at %j', (names, target, events, unavailable) => {
    expect(webhookEvents(names, target)).toEqual({ events, unavailable })
  })
})

test.each([
  [['push'], ['issues', 'push'], ['issues'], []],
  [['push', 'star'], ['push'], [], ['star']],
  [['*'], ['push'], [], ['*']],
  [['push'], ['*'], ['*'], []],
  [['*'], ['*'], [], []],
])('a subscription to %j, compared with %j', (subscribed, wanted, missing, unneeded) => {
  expect(compareEvents(subscribed, wanted)).toEqual({ missing, unneeded })
})
