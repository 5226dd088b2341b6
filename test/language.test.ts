/** The language gate of `npm run check`: retired phrases and words, and spelling. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { textFiles } from '../scripts/language/files.ts'
import { findRetired } from '../scripts/language/phrases.ts'

const root = join(import.meta.dirname, '..')
const words = readFileSync(join(root, 'scripts/language/words.txt'), 'utf8').trim().split('\n')

/** A folder for one test, with these files. */
function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-language-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

/** A file with this text, for one test. */
const fileWith = (name: string, text: string): string => join(folderWith({ [name]: text }), name)

/** Runs the gate for phrases on one file. */
function checkPhrases(file: string): { status: number | null; output: string } {
  const args = ['scripts/check-language.ts', relative(root, file)]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  return { status, output: stdout + stderr }
}

/** Runs cspell with the configuration of the project on a text. Takes two seconds. */
function checkSpelling(text: string): { status: number | null; output: string } {
  const cspell = join(root, 'node_modules/cspell/bin.mjs')
  const args = [cspell, 'lint', '--config', 'cspell.json', '--no-progress', 'stdin://page.md']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', input: text })
  return { status, output: stdout + stderr }
}

test.each([
  ['the worker stands still', 'stands still'],
  ['/** Deliveries that came in. */', 'came in'],
  ['/**\n * Deliveries that came\n * in while the server was down.\n */', 'came in'],
  ['// Nothing is lost: what\n// ended is recorded.', 'what ended'],
  ['A token lets you in.', 'lets you in'],
  ['export class Setback {}', 'class Setback'],
  ['await this.letGo()', 'letGo'],
  ['{ onReplay: true }', 'onReplay'],
  ['`npx hookserver hooks list`', 'hookserver hooks'],
])('finds a retired phrase in %j', (text, phrase) => {
  expect(findRetired(text)).toMatchObject([{ phrase }])
})

test.each([
  'The delivery is stored in a file.',
  'const moment = 1 // a setback',
  'Log in with the token.',
  '`delivery.database`',
])('accepts %j', (text) => expect(findRetired(text)).toEqual([]))

test('reports the lines of retired phrases in order', () => {
  const hits = findRetired('One.\n\nThe table by itself.\nDeliveries of which none\nstands still.')
  expect(hits.map(({ line, phrase }) => [line, phrase])).toEqual([
    [3, 'by itself'],
    [4, 'of which'],
    [5, 'stands still'],
  ])
})

test('the gate fails on a retired phrase, and prints the place and a replacement', () => {
  const { status, output } = checkPhrases(fileWith('page.md', '# Page\n\nThe worker is at it already.\n'))
  expect([status, output]).toEqual([1, expect.stringContaining('page.md:3: "is at it" is retired. Use: is running')])
})

test('the gate accepts plain English', () => {
  expect(checkPhrases(fileWith('page.md', 'A recovery sweep is already running.\n'))).toMatchObject({ status: 0 })
})

test('the gate reads committed and new text files, and no build output', () => {
  const names = ['.github/workflows/ci.yml', 'src/committed.ts', 'src/deleted.ts', 'src/new.ts', 'dist/built.js']
  const others = ['icon.svg', 'package-lock.json', 'test/__snapshots__/help.md', 'scripts/language/phrases.ts']
  const folder = folderWith({ '.gitignore': 'dist/', ...Object.fromEntries([...names, ...others].map((n) => [n, ''])) })
  const git = (...args: string[]) => expect(spawnSync('git', args, { cwd: folder }).status).toBe(0)
  git('init')
  git('add', 'src/committed.ts', 'src/deleted.ts')
  rmSync(join(folder, 'src/deleted.ts'))
  expect(textFiles(folder).toSorted()).toEqual(['.github/workflows/ci.yml', 'src/committed.ts', 'src/new.ts'])
})

test('the spelling gate fails on a retired word, on British spelling and on a typo, but accepts our terms', () => {
  const { status, output } = checkSpelling(
    'The behaviour of whoever recieves a delivery.\nhookserver fsyncs a rearmed one.\n',
  )
  expect(status).toBe(1)
  expect(output.match(/Unknown word|Forbidden word/g)).toHaveLength(3)
  for (const word of ['behaviour', 'whoever', 'recieves']) expect(output).toContain(word)
})

test('the project words are sorted and unique', () => {
  expect(words).toEqual([...new Set(words)].toSorted())
})
