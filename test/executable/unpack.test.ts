import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Contents } from '../../scripts/executable/contents.ts'
import { cacheFolder, unpack } from '../../scripts/executable/unpack.ts'

const contents: Contents = {
  name: '1.2.3-abc',
  files: [
    { path: 'a.js', size: 3 },
    { path: 'folder/b.js', size: 2 },
  ],
}
const readFiles = () => Buffer.from('11122')
const mustNotRead = () => expect.fail('The files were unpacked again')

function temporaryCache(): string {
  const cache = mkdtempSync(join(tmpdir(), 'hookserver-cache-'))
  onTestFinished(() => rmSync(cache, { recursive: true, force: true }))
  return cache
}

test.each([
  ['linux', {}, '/home/octo/.cache'],
  ['darwin', {}, '/home/octo/Library/Caches'],
  ['linux', { XDG_CACHE_HOME: '/var/cache/octo' }, '/var/cache/octo'],
  ['darwin', { XDG_CACHE_HOME: '/var/cache/octo' }, '/var/cache/octo'],
  ['linux', { XDG_CACHE_HOME: 'relative' }, '/home/octo/.cache'],
  ['win32', { LOCALAPPDATA: 'C:\\Local' }, 'C:\\Local'],
] as const)('on %s with %o, the cache is %s', (platform, env, expected) => {
  expect(cacheFolder(platform, env, () => '/home/octo')).toBe(expected)
})

test('unpacks the files once, to a folder that only the user can read', () => {
  const cache = temporaryCache()
  const folder = unpack(contents, readFiles, cache)
  expect(folder).toBe(join(cache, 'hookserver', '1.2.3-abc'))
  expect(readFileSync(join(folder, 'a.js'), 'utf8')).toBe('111')
  expect(readFileSync(join(folder, 'folder/b.js'), 'utf8')).toBe('22')
  const modes = [join(cache, 'hookserver'), folder].map((path) => statSync(path).mode & 0o777)
  if (process.platform !== 'win32') expect(modes).toEqual([0o700, 0o700])
  expect(unpack(contents, mustNotRead, cache)).toBe(folder)
})

test('replaces a folder with damaged files, and leaves no other folder', () => {
  const cache = temporaryCache()
  const folder = unpack(contents, readFiles, cache)
  writeFileSync(join(folder, 'a.js'), '')
  unpack(contents, readFiles, cache)
  expect(readFileSync(join(folder, 'a.js'), 'utf8')).toBe('111')
  expect(readdirSync(join(cache, 'hookserver'))).toEqual(['1.2.3-abc'])
})

test('uses the folder of a faster process, and leaves no other folder', () => {
  const cache = temporaryCache()
  const folder = unpack(
    contents,
    () => {
      unpack(contents, readFiles, cache)
      return Buffer.from('33333')
    },
    cache,
  )
  expect(readFileSync(join(folder, 'a.js'), 'utf8')).toBe('111')
  expect(readdirSync(join(cache, 'hookserver'))).toEqual(['1.2.3-abc'])
})

test.skipIf(process.platform === 'win32')('rejects a folder that other users can write to', () => {
  const cache = temporaryCache()
  mkdirSync(join(cache, 'hookserver'))
  chmodSync(join(cache, 'hookserver'), 0o777)
  expect(() => unpack(contents, mustNotRead, cache)).toThrow(
    `Cannot unpack the files of hookserver to ${cache}/hookserver: other users can write to it. ` +
      'Set XDG_CACHE_HOME to the absolute path of a folder that only you can write to.',
  )
})

test.skipIf(process.platform === 'win32')('rejects a folder of another user', () => {
  const cache = temporaryCache()
  mkdirSync(join(cache, 'hookserver'), { mode: 0o700 })
  const user = process.geteuid?.() ?? 0
  const spy = vi.spyOn(process as { geteuid: () => number }, 'geteuid').mockReturnValue(user + 1)
  onTestFinished(() => spy.mockRestore())
  expect(() => unpack(contents, mustNotRead, cache)).toThrow('it belongs to another user')
})

test('rejects a file in place of the folder', () => {
  const cache = temporaryCache()
  writeFileSync(join(cache, 'hookserver'), '')
  expect(() => unpack(contents, mustNotRead, cache)).toThrow(/it is not a directory.*Set XDG_CACHE_HOME/)
})

test('creates the cache', () => {
  const cache = join(temporaryCache(), 'home', '.cache')
  expect(unpack(contents, readFiles, cache)).toBe(join(cache, 'hookserver', '1.2.3-abc'))
})

test.runIf(process.platform === 'linux')('rejects a cache on a file system that can have no new folders', () => {
  expect(() => unpack(contents, mustNotRead, '/proc')).toThrow(/^Cannot unpack .* to \/proc\/hookserver: ENOENT/)
})
