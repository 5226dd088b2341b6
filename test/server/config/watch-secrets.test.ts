import { chmodSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { watchSecrets } from '../../../src/server/config/watch-secrets.ts'
import { childLogger } from '../../../src/telemetry/logger.ts'
import { Recorder } from '../../recorder.ts'
import { project } from '../service.ts'

/** Watches a file with one secret. `current` returns the secrets that the next delivery is verified with. */
function watched() {
  const folder = project({ secrets: 'first\n' })
  const path = join(folder, 'secrets')
  const recorder = new Recorder()
  const resolver = watchSecrets(path, childLogger(recorder))
  const write = (text: string, mode = 0o600) => writeFileSync(path, text, { mode })
  return { folder, path, recorder, write, current: () => resolver({}) }
}

test('reads the secrets again after a change', () => {
  const { write, current } = watched()
  expect(current()).toEqual(['first'])
  write('second\nfirst\n')
  expect(current()).toEqual(['second', 'first'])
  expect(current()).toBe(current()) // the same list: it was not read again
})

test('notices that a rename or a symbolic link has put another file in the place of the watched one', () => {
  const { folder, path, current } = watched()
  writeFileSync(join(folder, 'new'), 'other\n', { mode: 0o600 })
  renameSync(join(folder, 'new'), path)
  expect(current()).toEqual(['other'])
  writeFileSync(join(folder, 'target'), 'linked\n', { mode: 0o600 })
  rmSync(path)
  symlinkSync('target', path)
  expect(current()).toEqual(['linked'])
})

test.each<[string, (scene: ReturnType<typeof watched>) => void, string]>([
  ['is removed', ({ path }) => rmSync(path), 'ENOENT'],
  ['is empty', ({ write }) => write('\n\n'), 'contains no secret'],
  ['can be written by others', ({ path }) => chmodSync(path, 0o666), 'can be written by its group or other users'],
])('keeps the old secrets and logs the reason once, if the file %s', (_, spoil, reason) => {
  const scene = watched()
  spoil(scene)
  expect([scene.current(), scene.current()]).toEqual([['first'], ['first']])
  expect(scene.recorder.lines.map(({ fields }) => String(fields.err))).toEqual([expect.stringContaining(reason)])
  rmSync(scene.path, { force: true })
  scene.write('repaired\n')
  expect(scene.current()).toEqual(['repaired'])
})

test('fails at the start if the file cannot be read', () => {
  expect(() => watchSecrets(join(project(), 'missing'), childLogger(new Recorder()))).toThrow('Cannot read')
})
