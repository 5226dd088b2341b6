import { expect, test } from 'vitest'
import { missedPerHour } from '../../dashboard/github/missed-per-hour.ts'
import type { MissedDelivery, MissedDeliveryState } from '../../src/server/api/schemas/responses.ts'

const hour = 3_600_000
const now = Date.UTC(2026, 0, 31, 12, 34)

function missed(hoursAgo: number, state: MissedDeliveryState): MissedDelivery {
  return {
    ...{ hookId: '1', guid: 'g', target: 'acme/shop', event: 'push', deliveryId: '1', status: 'timed out', state },
    ...{ deliveredAt: now - hoursAgo * hour, requests: 0, expiresAt: now },
  }
}

test('counts the missed deliveries of three days by hour, and those that were received later or expired', () => {
  const some = [missed(0, 'missed'), missed(0.2, 'received'), missed(2, 'received'), missed(71, 'expired')]
  const { at, step, lines } = missedPerHour([...some, missed(72, 'expired'), missed(-1, 'missed')], now)
  expect([step, at.length, at.at(-1)]).toEqual([hour, 72, Date.UTC(2026, 0, 31, 12)])
  const nonzero = lines.map(({ name, values }) => [
    name,
    values.flatMap((value, index) => (value ? [[index, value]] : [])),
  ])
  expect(nonzero).toEqual([
    ...[['missed', [[0, 1], [69, 1], [71, 2]]], ['received later', [[69, 1], [71, 1]]], ['expired', [[0, 1]]]],
  ]) // biome-ignore format: one line is easier to compare
})
