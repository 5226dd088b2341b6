import { describe, expect, test } from 'vitest'
import { needsOf, permits, permittedEvents, readPermissions } from '../../../src/github/app/needs.ts'
import type { Permissions } from '../../../src/github/event-permissions.ts'

describe('the needs of handlers', () => {
  test.each([
    [['push'], ['push'], { contents: 'read', metadata: 'read' }],
    [['issues.opened', 'issues.closed'], ['issues'], { issues: 'read', metadata: 'read' }],
    [['milestone.created'], ['milestone'], { issues: 'read', metadata: 'read' }],
    [['milestone.created', 'pull_request'], ['milestone', 'pull_request'], { pull_requests: 'read', metadata: 'read' }],
    [['pull_request', 'milestone'], ['milestone', 'pull_request'], { pull_requests: 'read', metadata: 'read' }],
    [['check_run.completed'], ['check_run'], { checks: 'read' }],
    [['check_run.completed', 'check_run.rerequested'], ['check_run'], { checks: 'write' }],
    [['star'], ['star'], { metadata: 'read' }],
    [['security_advisory', 'meta'], ['meta', 'security_advisory'], { metadata: 'read' }],
    [['installation.created', 'ping'], [], { metadata: 'read' }],
  ])('for %j are the events %j and the permissions %j', (names, events, permissions) => {
    expect(needsOf(names)).toMatchObject({ events, permissions: { metadata: 'read', ...permissions }, notes: [] })
  })

  test('include the permissions of the module, at the higher level', () => {
    expect(needsOf(['issues'], { issues: 'write', statuses: 'write' })).toEqual({
      ...{ events: ['issues'], names: ['issues'] },
      permissions: { issues: 'write', metadata: 'read', statuses: 'write' },
      notes: [],
    })
    expect(needsOf(['check_run.rerequested'], { checks: 'read' }).permissions.checks).toBe('write')
  })

  test('of "*" are all events that the permissions allow', () => {
    const { events, notes } = needsOf(['*', 'issues'])
    expect(events).toEqual(expect.arrayContaining(['issues', 'issue_comment', 'milestone', 'star', 'meta']))
    expect(events).not.toContain('push')
    expect(events.some((event) => event.startsWith('installation'))).toBe(false)
    expect(notes).toEqual([expect.stringContaining(`all ${events.length} events`)])
  })

  test('keep the names of the handlers that GitHub sends events for', () => {
    const { names } = needsOf(['issues.opened', 'push', 'ping', 'isues'])
    expect(names).toEqual(['issues.opened', 'push'])
  })

  test('include events that GitHub lists for the App, even if this version does not know them or their permissions', () => {
    const names = ['next_year.created', 'organization_custom_property_values', 'isues']
    expect(needsOf(names, {}, ['next_year', 'organization_custom_property_values', 'push'])).toEqual({
      events: ['next_year', 'organization_custom_property_values'],
      names: ['next_year.created', 'organization_custom_property_values'],
      permissions: { metadata: 'read' },
      notes: [expect.stringContaining('"isues"')],
    })
    expect(needsOf(['*'], {}, ['next_year']).events).toEqual(expect.arrayContaining(['next_year', 'star']))
  })

  test('of "*" leave out the events of Enterprise Cloud, unless a handler names one', () => {
    const given = { administration: 'read', security_events: 'read' } as const
    const { events, notes } = needsOf(['*', 'exemption_request_push_ruleset'], given)
    expect(events).toEqual(expect.arrayContaining(['code_scanning_alert', 'exemption_request_push_ruleset']))
    expect(events).not.toContain('dismissal_request_code_scanning')
    expect(notes).toEqual([expect.stringMatching(/except those of Enterprise Cloud$/)])
  })

  test.each([
    ['sponsorship.created', 'GitHub does not send "sponsorship" to Apps'],
    ['organization_custom_property.created', 'GitHub does not send "organization_custom_property" to Apps'],
    ['organization_custom_property_values', 'The permission for "organization_custom_property_values" is unknown'],
    ['isues', 'Unknown event "isues". Did you mean "issues"?'],
  ])('of %s explain why there is no subscription', (name, note) => {
    expect(needsOf([name])).toEqual({
      ...{ events: [], names: [] },
      permissions: { metadata: 'read' },
      notes: [expect.stringContaining(note)],
    })
  })
})

test('a note names a declared permission that is unknown', () => {
  const { permissions, notes } = needsOf(['issues'], { isues: 'write', emails: 'read' } as Permissions)
  expect(permissions.isues).toBe('write')
  expect(notes).toEqual([
    expect.stringContaining('Unknown permission "isues" in config.permissions. Did you mean "issues"?'),
  ])
})

test('permissions allow an event that needs none of them, or one that they include', () => {
  expect(permits({}, 'star')).toBe(true)
  expect(permits({}, 'security_advisory')).toBe(true)
  expect(permits({}, 'push')).toBe(false)
  expect(permits({ organization_projects: 'read' }, 'project')).toBe(true)
  expect(permits({ issues: 'write' }, 'installation')).toBe(false)
  expect(permittedEvents({ checks: 'read' })).toContain('check_suite')
})

describe('the permissions of a module', () => {
  test('are an object of levels', () => {
    expect(readPermissions('hooks.ts', { issues: 'write' })).toEqual({ issues: 'write' })
    expect(readPermissions('hooks.ts', undefined)).toEqual({})
  })

  test.each([['issues'], [['issues']], [{ issues: true }], [{ issues: 'all' }], [{ 'is sues': 'read' }]])(
    'are not %j',
    (given) => {
      expect(() => readPermissions('hooks.ts', given)).toThrow('config.permissions of hooks.ts: expected an object')
    },
  )
})
