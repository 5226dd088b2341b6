import { expect, test } from 'vitest'
import { scheduleInstallations, scheduleRepositories } from '../../src/github/installations.ts'
import type { Delivery, Installation } from '../../src/index.ts'
import { eachTarget } from '../../src/schedules/each-target.ts'
import type { Schedule } from '../../src/schedules/schedule.ts'
import { newScheduledDelivery, type ScheduleTarget } from '../../src/schedules/scheduled-delivery.ts'

const large = '9007199254740993' // JavaScript rounds this number

async function* installations(): AsyncGenerator<Installation> {
  const described = { target_type: 'Organization', repository_selection: 'all', permissions: {}, events: [] } as const
  const account = { login: 'acme', id: 1 }
  yield { id: large, account, ...described, html_url: '', suspended_at: null }
  yield { id: '6', account, ...described, html_url: '', suspended_at: '2026-01-01T00:00:00Z' }
}

/** GitHub's answers to an installation with 101 repositories. One is archived, and one is disabled. */
function requester() {
  const repositories = Array.from({ length: 101 }, (_, index) => ({
    ...{
      id: index + 1,
      name: `r${index}`,
      full_name: `acme/r${index}`,
      owner: { login: 'acme', type: 'Organization' },
    },
    ...{ private: true, default_branch: 'main', archived: index === 0, disabled: index === 1, topics: [] },
  }))
  return {
    async request(_route: string, { page = 1 }: { page?: number } = {}) {
      const text = JSON.stringify({ total_count: 101, repositories: repositories.slice((page - 1) * 100, page * 100) })
      return { headers: {}, text }
    },
  }
}

async function allOf(targets: AsyncIterable<ScheduleTarget>): Promise<ScheduleTarget[]> {
  const all: ScheduleTarget[] = []
  for await (const target of targets) all.push(target)
  return all
}

const acme = { id: large, account: { login: 'acme' } }

test('the installations leave out those that are suspended', async () => {
  const targets = await allOf(scheduleInstallations(installations()))
  expect(targets).toMatchObject([{ installation: acme }])
})

test('the repositories of all pages leave out those that are archived or disabled', async () => {
  const targets = await allOf(scheduleRepositories(acme, requester()))
  expect(targets).toHaveLength(99)
  expect(targets[0]).toMatchObject({ installation: acme })
  expect(targets[0]?.repository).toEqual({
    ...{ id: '3', name: 'r2', full_name: 'acme/r2', owner: { login: 'acme' }, private: true, default_branch: 'main' },
  })
})

test('the payload has all digits of an id', () => {
  const { body, guid } = newScheduledDelivery({ name: 'a', time: 0, forEach: false, target: { installation: acme } })
  const text = `{"action":"a","time":"1970-01-01T00:00:00.000Z","installation":{"id":${large},"account":{"login":"acme"}}}`
  expect(new TextDecoder().decode(body)).toBe(text)
  expect(guid).toBe(`schedule:a:1970-01-01T00:00:00.000Z:${large}`)
})

test('the delivery from which those of the repositories are made has a GUID of its own', () => {
  const { guid } = newScheduledDelivery({ name: 'a', time: 0, forEach: true, target: { installation: acme } })
  expect(guid).toBe(`schedule:a:1970-01-01T00:00:00.000Z:installation:${large}`)
})

test('the deliveries of the targets are stored together, so that the inbox commits them together', async () => {
  const all = Promise.withResolvers<void>()
  const stored: (string | undefined)[] = []
  const handler = eachTarget({ name: 'a' } as Schedule, 'installation', {
    async *targets() {
      for (const id of ['1', '2', '3']) yield { installation: { id, account: null } }
    },
    async store({ target }) {
      stored.push(target?.installation.id)
      if (stored.length === 3) all.resolve()
      await all.promise
    },
  })
  const delivery = { payload: { time: '2026-01-01T00:00:00.000Z' }, signal: new AbortController().signal }
  expect(await handler(delivery as unknown as Delivery)).toEqual({ deliveries: 3 })
  expect(stored).toEqual(['1', '2', '3'])
})
