import { describe, expect, test } from 'vitest'
import { compareApp } from '../../../src/github/app/compare.ts'
import { needsOf } from '../../../src/github/app/needs.ts'

const nothing = {
  missingPermissions: [],
  missingEvents: [],
  hiddenEvents: [],
  unneededPermissions: [],
  unneededEvents: [],
  outdatedAccounts: [],
}

const fitting = { permissions: { issues: 'write', metadata: 'read' }, events: ['issues'] } as const

describe('an App', () => {
  test('has no difference if it has all that the handlers need', () => {
    expect(compareApp(needsOf(['issues'], { issues: 'write' }), fitting, [])).toEqual(nothing)
  })

  test('lacks permissions and events that handlers need', () => {
    expect(compareApp(needsOf(['issues', 'push'], { issues: 'write', contents: 'write' }), fitting, [])).toEqual({
      ...nothing,
      missingPermissions: [{ permission: 'contents', has: undefined, needs: 'write' }],
      missingEvents: ['push'],
    })
  })

  test('has permissions and events that no handler needs', () => {
    expect(compareApp(needsOf(['star']), fitting, [])).toEqual({
      ...nothing,
      missingEvents: ['star'],
      unneededPermissions: [{ permission: 'issues', has: 'write', needs: undefined }],
      unneededEvents: ['issues'],
    })
    expect(compareApp(needsOf(['issues']), fitting, []).unneededPermissions).toEqual([
      { permission: 'issues', has: 'write', needs: 'read' },
    ])
  })

  test('may have another permission that GitHub accepts for the event', () => {
    const app = { permissions: { pull_requests: 'read', metadata: 'read' }, events: ['milestone'] } as const
    expect(compareApp(needsOf(['milestone']), app, [])).toEqual(nothing)
    expect(compareApp(needsOf(['milestone', 'issues']), app, []).missingPermissions).toHaveLength(1)
    expect(compareApp(needsOf(['milestone'], { issues: 'write' }), app, []).missingPermissions).toEqual([
      { permission: 'issues', has: undefined, needs: 'write' },
    ])
  })

  test('may get events that the API does not list', () => {
    expect(compareApp(needsOf(['meta', 'issues'], { issues: 'write' }), fitting, [])).toEqual({
      ...nothing,
      hiddenEvents: ['meta'],
    })
  })

  test('has accounts that have not accepted its permissions', () => {
    const installations = [
      { account: 'octocat', permissions: { issues: 'write', metadata: 'read' } },
      { account: 'acme', permissions: { metadata: 'read' } },
    ] as const
    const { outdatedAccounts } = compareApp(needsOf(['issues'], { issues: 'write' }), fitting, installations)
    expect(outdatedAccounts).toEqual(['acme'])
  })
})
