import { expect, test } from 'vitest'
import { flagsOf } from '../../dashboard/deliveries/flags.ts'

const delivery = { conflict: false, replayed: true, pulled: false } as Parameters<typeof flagsOf>[0]

test.each([
  [undefined, 'same body'],
  [17, 'same body as 17'],
])('names the delivery with the same body, if it is known: %s', (sameBodyAs, label) => {
  expect(flagsOf({ ...delivery, sameBodyAs }).map((flag) => flag.label)).toEqual([label])
})
