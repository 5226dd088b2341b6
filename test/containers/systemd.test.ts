/** The units for systemd: they set variables that hookserver knows, and give it time to stop. */
import { describe, expect, test } from 'vitest'
import { variablesOf } from '../../src/server/config/resolve-config.ts'
import { type SettingName, settings } from '../../src/server/config/settings.ts'
import { read } from './files.ts'

const valuesIn = (unit: string, name: string): string[] =>
  [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value)

describe.each(['examples/deploy/hookserver.service', 'templates/deploy/hookserver.service'])('%s', (file) => {
  const unit = read(file)

  test('sets variables that hookserver knows', () => {
    const known = ['DEPLOY_FOLDER', ...(Object.keys(settings) as SettingName[]).flatMap(variablesOf)]
    for (const variable of valuesIn(unit, 'Environment')) expect(known).toContain(variable.split('=', 1)[0])
  })

  test('lets the server read the secret from the file that an operator edits', () => {
    expect(valuesIn(unit, 'Environment')).toContain('HOOKSERVER_SECRET_FILE=/etc/hookserver/secret')
    expect(valuesIn(unit, 'LoadCredential')).toEqual([])
  })

  test('restarts the server for as long as it cannot start', () => {
    const [section = ''] = unit.split('[Service]')
    expect(valuesIn(section, 'StartLimitIntervalSec')).toEqual(['0'])
    expect(valuesIn(unit, 'Restart')).toEqual(['always'])
  })

  test('gives hookserver and a program of a handler time to stop', () => {
    const [seconds] = valuesIn(unit, 'TimeoutStopSec')
    expect(Number(seconds) * 1000).toBeGreaterThan(settings.grace.default + 5000 + 3000)
  })
})

test('the program of the template gets a cache that it can write to', () => {
  expect(valuesIn(read('templates/deploy/hookserver.service'), 'CacheDirectory')).toEqual(['hookserver'])
  expect(read('templates/deploy/hooks.ts')).toContain('npm_config_cache: process.env.CACHE_DIRECTORY')
})
