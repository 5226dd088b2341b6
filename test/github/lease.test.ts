import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { Lease } from '../../src/github/lease.ts'
import { eventually, openInbox } from '../inbox/stores.ts'

async function acquire(...input: Parameters<typeof Lease.acquire>): Promise<Lease | undefined> {
  const lease = await Lease.acquire(...input)
  onTestFinished(() => lease?.release())
  return lease
}

test('a lease belongs to one holder at a time, also within a process', async () => {
  const inbox = openInbox()
  const lease = await acquire(inbox, 'work')
  expect(await lease?.isHeld()).toBe(true)
  expect(await acquire(inbox, 'work')).toBeUndefined()
  expect(await acquire(inbox, 'other work')).toBeDefined()
})

test('a lease can be acquired by another holder as soon as it is released', async () => {
  const inbox = openInbox()
  const lease = await acquire(inbox, 'work')
  await lease?.release()
  expect(await lease?.isHeld()).toBe(false)
  expect(await acquire(inbox, 'work')).toBeDefined()
})

test('a lease outlasts its duration, because a timer renews it', async () => {
  const inbox = openInbox()
  const lease = await acquire(inbox, 'work', 600)
  await sleep(1500)
  expect(await acquire(inbox, 'work')).toBeUndefined()
  expect(await lease?.isHeld()).toBe(true)
})

test('a lease is lost for good when another holder has acquired it after it expired', async () => {
  const holders: string[] = []
  let rejected = false
  const inbox = {
    async lease(_name: string, holder: string) {
      holders.push(holder)
      return !rejected
    },
  }
  const lease = await acquire(inbox, 'work', 60)
  rejected = true
  await eventually(async () => expect(await lease?.isHeld()).toBe(false))
  rejected = false
  expect(await lease?.isHeld()).toBe(false)
  const calls = holders.length
  await lease?.release()
  await sleep(50)
  expect(holders).toHaveLength(calls) // a lease that another holder has is neither renewed nor released
})

test('a release waits for the renewal under way, which would otherwise acquire the lease again', async () => {
  const calls: number[] = []
  const renewal = Promise.withResolvers<boolean>()
  const inbox = {
    async lease(_name: string, _holder: string, ms: number) {
      calls.push(ms)
      return calls.length === 2 ? renewal.promise : true
    },
  }
  const lease = await acquire(inbox, 'work', 60)
  await eventually(() => expect(calls).toEqual([60, 60]))
  const released = lease?.release()
  await setImmediate()
  expect(calls).toEqual([60, 60])
  renewal.resolve(true)
  await released
  expect(calls).toEqual([60, 60, 0])
  expect(await lease?.isHeld()).toBe(false)
})

test('a lease sends one renewal at a time', async () => {
  let calls = 0
  const renewal = Promise.withResolvers<boolean>()
  const inbox = { lease: async () => (++calls === 2 ? renewal.promise : true) }
  const lease = await acquire(inbox, 'work', 60)
  await eventually(() => expect(calls).toBe(2))
  await sleep(30) // from now on, the renewal is overdue
  const held = Promise.all([lease?.isHeld(), lease?.isHeld()])
  await setImmediate()
  expect(calls).toBe(2)
  renewal.resolve(true)
  expect(await held).toEqual([true, true])
})

test('a lease survives a failure of the inbox that ends before the lease expires', async () => {
  let failures = 2
  const inbox = {
    async lease() {
      if (calls++ > 0 && failures-- > 0) throw new Error('the disk is full')
      return true
    },
  }
  let calls = 0
  const lease = await acquire(inbox, 'work', 240)
  await eventually(() => expect(failures).toBeLessThan(0))
  expect(await lease?.isHeld()).toBe(true)
})
