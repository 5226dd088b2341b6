import fc from 'fast-check'
import { expect, test } from 'vitest'
import { maxHeight, scrolledTo, visibleRows } from '../../dashboard/payload/virtual.ts'

const lists = fc.record({
  count: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 20_000_000 })),
  rowHeight: fc.constantFrom(24, 32),
  viewport: fc.integer({ min: 100, max: 900 }),
  place: fc.double({ min: 0, max: 1, noNaN: true }),
})

/** Scrolls as a browser does: not beyond the end. */
function scrollOf({ place, ...list }: { count: number; rowHeight: number; viewport: number; place: number }) {
  const height = Math.min(list.count * list.rowHeight, maxHeight)
  return { ...list, scrollTop: place * Math.max(0, height - list.viewport) }
}

test('draws the visible rows of a list, and a few more', () => {
  fc.assert(
    fc.property(lists, (list) => {
      const scroll = scrollOf(list)
      const { height, first, top, drawn } = visibleRows(scroll)
      expect(height).toBeLessThanOrEqual(maxHeight)
      expect(first).toBeGreaterThanOrEqual(0)
      expect(first + drawn).toBeLessThanOrEqual(scroll.count)
      expect(drawn).toBeLessThan(100)
      expect(first === 0 || top <= scroll.scrollTop).toBe(true)
      const end = top + drawn * scroll.rowHeight
      expect(first + drawn === scroll.count || end >= scroll.scrollTop + scroll.viewport).toBe(true)
    }),
  )
})

test('reaches both ends of a list of any length', () => {
  fc.assert(
    fc.property(lists, (list) => {
      expect(visibleRows(scrollOf({ ...list, place: 0 })).first).toBe(0)
      const { first, drawn } = visibleRows(scrollOf({ ...list, place: 1 }))
      expect(first + drawn).toBe(list.count)
    }),
  )
})

test('scrolls a row into view, unless it is visible', () => {
  fc.assert(
    fc.property(lists, fc.double({ min: 0, max: 0.999, noNaN: true }), (list, which) => {
      const scroll = scrollOf(list)
      const row = Math.floor(which * scroll.count)
      const scrollTop = scrolledTo(row, scroll)
      const { first, top } = visibleRows({ ...scroll, scrollTop })
      const at = top + (row - first) * scroll.rowHeight - scrollTop
      expect(at).toBeGreaterThan(-1)
      expect(at + scroll.rowHeight).toBeLessThan(scroll.viewport + 1)
      expect(scrolledTo(row, { ...scroll, scrollTop })).toBeCloseTo(scrollTop, 3)
    }),
  )
})
