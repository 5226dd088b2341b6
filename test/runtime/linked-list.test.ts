import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Linked, LinkedList } from '../../src/runtime/linked-list.ts'

interface Item extends Linked<Item> {
  name: number
}

test('a linked list has the items that were added and not removed, in their order', () => {
  const step = fc.oneof(fc.constant('add' as const), fc.nat())
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const list = new LinkedList<Item>()
      const expected: Item[] = []
      for (const [name, one] of steps.entries()) {
        if (one === 'add') {
          const item = { name, previous: undefined, next: undefined }
          list.add(item)
          expected.push(item)
        } else if (expected.length > 0) {
          const [removed] = expected.splice(one % expected.length, 1)
          list.remove(removed as Item)
          expect([removed?.previous, removed?.next]).toEqual([undefined, undefined])
        }
        expect([...list]).toEqual(expected)
        expect(list.first).toBe(expected[0])
      }
    }),
  )
})
