import { describe, expect, test } from 'vitest'
import { Hooks } from '../../../src/hooks.ts'
import { resolveConfig } from '../../../src/server/config/resolve-config.ts'
import {
  checksSignatures,
  moduleInbox,
  receivesDeliveries,
  recoverTargets,
} from '../../../src/server/config/server-options.ts'
import { openInbox } from '../../inbox/stores.ts'

const configOf = (flags: Readonly<Record<string, string>>) => resolveConfig({ flags, env: {} })

test.each([
  [{}, {}, true],
  [{}, { validateSignature: false }, false],
  [{ validateSignature: 'true' }, { validateSignature: false }, true],
  [{ validateSignature: 'false' }, {}, false],
])('with the settings %j and the module %j, signatures are checked: %s', (flags, ofModule, expected) => {
  expect(checksSignatures(configOf(flags), ofModule)).toBe(expected)
})

test.each([
  [{}, true],
  [{ role: 'receiver' }, true],
  [{ role: 'worker' }, false],
  [{ pull: 'acme/shop' }, false],
])('with the settings %j, GitHub sends deliveries to the server: %s', (flags, expected) => {
  expect(receivesDeliveries(configOf(flags))).toBe(expected)
})

test.each([
  ['all', true],
  ['worker', true],
  ['receiver', false],
])('a server with --recover in the role %s recovers missed deliveries: %s', (role, expected) => {
  expect(recoverTargets(configOf({ recover: 'acme/shop', role })) !== undefined).toBe(expected)
  expect(recoverTargets(configOf({ role }))).toBeUndefined()
})

describe('the inbox of the module', () => {
  test('is used, unless a setting names a database', () => {
    const inbox = openInbox()
    const hooks = new Hooks({ secret: 's', inbox })
    expect(moduleInbox(configOf({}), hooks)).toBe(inbox)
    expect(moduleInbox(configOf({ database: 'hookserver.db' }), hooks)).toBeUndefined()
  })

  test('takes precedence over DATABASE_URL, which other programs use too', () => {
    const inbox = openInbox()
    const hooks = new Hooks({ secret: 's', inbox })
    const env = { DATABASE_URL: 'postgres://db.example/hooks' }
    expect(moduleInbox(resolveConfig({ flags: {}, env }), hooks)).toBe(inbox)
    const own = { HOOKSERVER_DATABASE: 'postgres://db.example/hooks' }
    expect(moduleInbox(resolveConfig({ flags: {}, env: own }), hooks)).toBeUndefined()
  })

  test('is missing without a module, or if the module has none', () => {
    expect(moduleInbox(configOf({}), undefined)).toBeUndefined()
    expect(moduleInbox(configOf({}), new Hooks({ secret: 's' }))).toBeUndefined()
  })
})
