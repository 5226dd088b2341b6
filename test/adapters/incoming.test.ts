import { EventEmitter } from 'node:events'
import { expect, test, vi } from 'vitest'
import { leaveUnread } from '../../src/adapters/incoming.ts'

class Request extends EventEmitter {
  headers = {}
  readableDidRead = true
  readableEnded = false
  complete = false
  destroyed: boolean

  constructor({ destroyed }: { destroyed: boolean }) {
    super()
    this.destroyed = destroyed
  }

  pause(): void {}
  resume(): void {}
  destroy(): void {
    this.destroyed = true
    this.emit('close')
  }
}

test('the rest of a body is discarded until the request closes, and not after that', () => {
  vi.useFakeTimers()
  const response = Object.assign(new EventEmitter(), { destroy() {} })
  const open = new Request({ destroyed: false })
  leaveUnread(open, response)
  expect([open.listenerCount('data'), vi.getTimerCount()]).toEqual([1, 1])
  open.destroy()
  expect(vi.getTimerCount()).toBe(0)

  const closed = new Request({ destroyed: true })
  leaveUnread(closed, response)
  expect([closed.eventNames(), vi.getTimerCount()]).toEqual([[], 0])
  vi.useRealTimers()
})
