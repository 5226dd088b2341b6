import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { samples } from '../../../src/samples/index.ts'
import { type Admin, openAdmin } from '../administered.ts'

let admin: Admin

beforeAll(async () => {
  admin = await openAdmin({ atTheEnd: afterAll })
})

describe('the samples', () => {
  test('are counted by event and action', async () => {
    const { status, json } = await admin.get('/api/v1/samples')
    expect(status).toBe(200)
    const counted: { event: string; action?: string; count: number }[] = json.samples
    expect(counted.reduce((sum, { count }) => sum + count, 0)).toBe(samples().length)
    expect(counted).toContainEqual({ event: 'issues', action: 'opened', count: samples('issues.opened').length })
    expect(counted.find(({ event }) => event === 'push')).not.toHaveProperty('action')
    const names = counted.map(({ event, action }) => `${event}.${action}`)
    expect(new Set(names).size).toBe(names.length)
  })

  test.each(['issues.opened', 'issues', 'push'])('of %s are returned', async (name) => {
    const { status, json } = await admin.get(`/api/v1/samples/${name}`)
    expect(status).toBe(200)
    expect(json.samples).toEqual(JSON.parse(JSON.stringify(samples(name))))
    expect(json.samples.length).toBeGreaterThan(0)
  })

  test.each(['nothing', 'issues.nothing', 'push.opened', '__proto__', 'constructor', '%00', 'a%2Fb'])(
    'of %s do not exist',
    async (name) => {
      const { status, json } = await admin.get(`/api/v1/samples/${name}`)
      expect([status, json.code]).toEqual([404, 'not_found'])
    },
  )
})
