import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { FileWatcher } from '../../../src/cli/dev/watch-files.ts'
import { versionOf } from '../../../src/server/config/watch-secrets.ts'

/** A folder with the file `lib/reply.ts`, and a watcher of this file. */
function scene() {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-watch-'))
  const lib = join(folder, 'lib')
  const file = join(lib, 'reply.ts')
  mkdirSync(lib)
  writeFileSync(file, 'one')
  const changed: string[] = []
  const errors: Error[] = []
  const watcher = new FileWatcher(
    (path) => changed.push(path),
    (error) => errors.push(error),
  )
  watcher.add(file)
  onTestFinished(() => {
    watcher.close()
    rmSync(folder, { recursive: true, force: true })
    expect(errors).toEqual([])
  })
  /** Waits for a change, and regards it as known. */
  const change = async () => {
    await expect.poll(() => changed, { interval: 10 }).toContain(file)
    watcher.reset()
    changed.length = 0
  }
  return { lib, file, watcher, changed, change }
}

/** Two saves may have the same time, so the first ones differ in length too. */
const saves: [string, (file: string) => void][] = [
  ['in place', (file) => writeFileSync(file, 'another length')],
  [
    'by a rename',
    (file) => {
      writeFileSync(`${file}~`, 'two')
      renameSync(`${file}~`, file)
    },
  ],
  [
    'by a deletion and a creation',
    (file) => {
      rmSync(file)
      writeFileSync(file, 'another length')
    },
  ],
]

test.each(saves)('notices a file that is saved %s, again and again', async (_how, save) => {
  const { file, change } = scene()
  for (const _again of [1, 2]) {
    save(file)
    await change()
  }
})

test('notices the deletion of a file, its creation, and the next save', async () => {
  const { file, change } = scene()
  rmSync(file)
  await change()
  writeFileSync(file, 'two')
  await change()
  writeFileSync(file, 'three')
  await change()
})

test('notices a file whose folder is deleted and created', async () => {
  const { lib, file, change } = scene()
  rmSync(lib, { recursive: true })
  await change()
  mkdirSync(lib)
  writeFileSync(file, 'two')
  await change()
  writeFileSync(file, 'three')
  await change()
})

test('notices a file whose folder is replaced', async () => {
  const { lib, file, change } = scene()
  mkdirSync(`${lib}-new`)
  writeFileSync(join(`${lib}-new`, 'reply.ts'), 'two')
  renameSync(lib, `${lib}-old`)
  renameSync(`${lib}-new`, lib)
  await change()
  writeFileSync(file, 'three')
  await change()
})

test('notices a change between the read of a file and the start of its watch', async () => {
  const { file, watcher, change } = scene()
  const read = versionOf(file)
  writeFileSync(file, 'another length')
  watcher.reset()
  watcher.add(file, read)
  await change()
})

test('notices only the files that it watches', async () => {
  const { lib, file, watcher, changed } = scene()
  const other = join(lib, 'other.ts')
  writeFileSync(other, 'other')
  watcher.add(join(lib, 'last.ts'))
  writeFileSync(join(lib, 'last.ts'), 'last')
  await expect.poll(() => changed, { interval: 10 }).toContain(join(lib, 'last.ts'))
  expect(changed).not.toContain(other)
  expect(changed).not.toContain(file)
})
