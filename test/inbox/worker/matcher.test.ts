import { describe, expect, test } from 'vitest'
import type { Store } from '../../../src/inbox/inbox.ts'
import { Matcher, maxMatchAttempts } from '../../../src/inbox/worker/matcher.ts'
import { PayloadMemory } from '../../../src/inbox/worker/payload-memory.ts'
import { Slots } from '../../../src/inbox/worker/slots.ts'
import { Suspensions } from '../../../src/inbox/worker/suspensions.ts'
import { demandingPayload, Host } from '../fixtures.ts'
import { detailIn, openInbox, stateIn, storeIn, withMembers } from '../stores.ts'

const MiB = 1024 * 1024

async function matcherOf(inbox: Store, limit = 256 * MiB) {
  const host = new Host().on('push', () => {})
  const bounds = { slots: new Slots(), memory: new PayloadMemory(limit) }
  const suspensions = new Suspensions(inbox.leaseDuration, Date)
  const context = { ...bounds, suspensions, mayStart: () => true, storeFailed: () => {}, retireId: () => {} }
  const matcher = new Matcher({ inbox, host, clock: Date, ...context })
  const worker = await inbox.registerWorker([{ name: 'on:push', backoff: 1000 }])
  const match = () => matcher.match(worker, { limit: 100, ordered: false, now: Date.now() })
  return { ...bounds, host, match }
}

describe('a payload that takes much memory', () => {
  test('is parsed after the attempt was counted, and resets the count once it is parsed', async () => {
    const real = openInbox()
    const calls: string[] = []
    const inbox = withMembers(real, {
      countMatchAttempt: (id) => {
        calls.push(`count ${id}`)
        return real.countMatchAttempt(id)
      },
      forgetMatchAttempts: (id) => {
        calls.push(`forget ${id}`)
        return real.forgetMatchAttempts(id)
      },
    })
    const { match, host } = await matcherOf(inbox)
    const parse = host.parse
    host.parse = (...given) => {
      calls.push('parse')
      return parse(...given)
    }
    await storeIn(inbox, {})
    const large = await storeIn(inbox, demandingPayload(40 * MiB))
    expect((await match()).matched).toBe(2)
    expect(calls).toEqual(['parse', `count ${large}`, 'parse', `forget ${large}`])
  })

  test('is not parsed again after it has ended the process three times, and the delivery ends dead', async () => {
    const inbox = openInbox()
    const { match } = await matcherOf(inbox)
    const id = await storeIn(inbox, demandingPayload(40 * MiB))
    for (let times = 0; times < maxMatchAttempts; times++) await inbox.countMatchAttempt(id)
    await match()
    expect(await detailIn(inbox, id)).toMatchObject({
      state: 'dead',
      reason: 'Parsing the payload has ended the process 3 times',
    })
    await inbox.retry({ ids: [id] })
    await match()
    // When the delivery ended dead, the inbox deleted the number of attempts to parse its payload. So after the retry,
    // the worker counts these attempts from 0, and parses the payload again.
    expect(await stateIn(inbox, id)).toBe('running')
  })

  test('is matched after the store has failed to reset the count more often than it may be counted', async () => {
    const real = openInbox()
    let failures = 0
    const forgetMatchAttempts: Store['forgetMatchAttempts'] = (id) => {
      return ++failures > maxMatchAttempts
        ? real.forgetMatchAttempts(id)
        : Promise.reject(new Error('The inbox is down'))
    }
    const { match } = await matcherOf(withMembers(real, { forgetMatchAttempts }))
    const id = await storeIn(real, demandingPayload(40 * MiB))
    for (let times = 0; times < maxMatchAttempts; times++) await expect(match()).rejects.toThrow('The inbox is down')
    await match()
    expect(await stateIn(real, id)).toBe('running')
  })

  test('leaves a large payload unmatched that another process parses, and matches later deliveries', async () => {
    const real = openInbox()
    const large = await storeIn(real, demandingPayload(40 * MiB))
    const later = await storeIn(real, {})
    const { match } = await matcherOf(withMembers(real, { countMatchAttempt: async () => undefined }))
    expect((await match()).matched).toBe(1)
    expect([await stateIn(real, large), await stateIn(real, later)]).toEqual(['pending', 'running'])
  })

  test('is matched in a batch of its own', async () => {
    const inbox = openInbox()
    const { match } = await matcherOf(inbox)
    for (let count = 0; count < 3; count++) await storeIn(inbox, demandingPayload(40 * MiB))
    const sizes: number[] = []
    for (let matched = 1; matched > 0; sizes.push(matched)) ({ matched } = await match())
    expect(sizes).toEqual([1, 1, 1, 0])
  })

  test('is due, and not claimed, while running handlers hold the memory', async () => {
    const inbox = openInbox()
    const { match, memory } = await matcherOf(inbox, 100 * MiB)
    const release = memory.takeAtOnce(75 * MiB)
    const large = await storeIn(inbox, demandingPayload(40 * MiB))
    expect(await match()).toMatchObject({ matched: 1, mayBeDue: true })
    expect(await stateIn(inbox, large)).toBe('pending')
    expect(memory.largestBody).toBeLessThan(MiB)
    release?.()
    expect(memory.largestBody).toBe(Number.POSITIVE_INFINITY)
  })
})

test('the slots of matches that the store could not record are released', async () => {
  const real = openInbox()
  const inbox = withMembers(real, {
    match: async (worker, offer, decide) => {
      await real.match(worker, offer, async (offered) => {
        await decide(offered)
        return []
      })
      throw new Error('The inbox is down')
    },
  })
  const { match, slots, host } = await matcherOf(inbox)
  await storeIn(real)
  await expect(match()).rejects.toThrow('The inbox is down')
  expect(slots.free(host.registrations()[0] as never)).toBe(25)
})
