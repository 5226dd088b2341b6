import { expect, test } from 'vitest'
import { hunkOf, patchOf } from '../../../src/testing/github/world/diff.ts'

const bytes = (text: string | undefined) => (text === undefined ? undefined : new TextEncoder().encode(text))
const lines = (...numbers: (number | string)[]) => numbers.map((number) => `${number}\n`).join('')

const inserted = { before: lines(1, 2, 3, 4, 5, 6, 7, 8), after: lines(1, 2, 3, 4, 'x', 5, 6, 7, 8) }

test.each<[string, string | undefined, string | undefined, string]>([
  ['a new file', undefined, 'a\nb\n', '@@ -0,0 +1,2 @@\n+a\n+b'],
  ['a deleted file', 'a\n', undefined, '@@ -1 +0,0 @@\n-a'],
  ['a changed line', 'a\nb\nc\n', 'a\nx\nc\n', '@@ -1,3 +1,3 @@\n a\n-b\n+x\n c'],
  ['a missing line break', 'a\n', 'a', '@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file'],
  [
    'an added line, with three lines on each side',
    inserted.before,
    inserted.after,
    '@@ -2,6 +2,7 @@\n 2\n 3\n 4\n+x\n 5\n 6\n 7',
  ],
  ['a repeated line', lines(1, 1), lines(1, 1, 1), '@@ -1,2 +1,3 @@\n 1\n 1\n+1'],
])('the patch of %s', (_, before, after, patch) => {
  expect(patchOf(hunkOf({ path: 'a.md', before: bytes(before), after: bytes(after) }))).toBe(patch)
})

test.each([
  ['an unchanged file', 'a\n', 'a\n'],
  ['a binary file', 'a', 'a\0'],
])('%s has no patch', (_, before, after) => {
  expect(hunkOf({ path: 'a', before: bytes(before), after: bytes(after) })).toEqual([])
})
