import { expect, test } from 'vitest'
import { ageCheck, durationCheck, parseDuration, parseSize, sizeCheck } from '../../src/runtime/units.ts'

test.each<[text: string, ms: number | undefined]>([
  ['500ms', 500],
  ['30s', 30_000],
  ['15m', 900_000],
  ['12h', 43_200_000],
  ['30d', 2_592_000_000],
  ['0s', 0],
  ...['', '1.5s', '-1s', '1 s', '1S', '1e3s', '99999999999999999d', 's'].map((text): [string, undefined] => [
    text,
    undefined,
  ]),
])('the duration %j has %s ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

test.each<[text: string, bytes: number | undefined]>([
  ['10 B', 10],
  ['512KiB', 524_288],
  ['25 MiB', 26_214_400],
  ['2GiB', 2_147_483_648],
  ...['', '25', '25MB', '25 mib', '0 B', '1.5 MiB', '1  MiB', '99999999999 TiB'].map((text): [string, undefined] => [
    text,
    undefined,
  ]),
])('the size %j has %s bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes)
})

test('a number that is too small to be meant in this unit is an error that shows both texts', () => {
  const [time, size, age] = [durationCheck({ min: 0 }), sizeCheck(), ageCheck('d')]
  expect(() => time(30, 'Option "timeout"')).toThrow(
    "Option \"timeout\" is in milliseconds, and 30 is probably a mistake: write '30s', or '30ms'",
  )
  expect(() => size(25, 'Option "bodyLimit"')).toThrow(/is in bytes, and 25 .*: write '25 MiB', or '25 B'$/)
  expect(() => age(59_999, 'x')).toThrow("write '59999d', or '59999ms'")
  expect(() => age(60_000, 'x')).not.toThrow()
  for (const fine of [0, 100, '30ms']) expect(() => time(fine, 'x')).not.toThrow()
  for (const fine of [1000, '25 B']) expect(() => size(fine, 'x')).not.toThrow()
})
