/**
 * Counts the round trips of the sockets of this thread. A round trip begins with the first write after an answer, so
 * statements that are sent together are one round trip.
 */
import { Socket } from 'node:net'

let count = 0
const readBefore = new WeakMap<Socket, number>()
const { write } = Socket.prototype

Socket.prototype.write = function (this: Socket, ...args: unknown[]) {
  if (readBefore.get(this) !== this.bytesRead) {
    readBefore.set(this, this.bytesRead)
    count++
  }
  return write.apply(this, args as Parameters<typeof write>)
}

export const roundTrips = (): number => count
