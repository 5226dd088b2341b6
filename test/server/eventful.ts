/** A server on which every counted event has happened at least once. */
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import { Discard, Hooks } from '../../src/index.ts'
import { LocalGitHub } from '../../src/testing/index.ts'
import { eventually } from '../inbox/stores.ts'
import { secrets, type Watched, watch } from './watched.ts'

export const inboxLimit = 1024 ** 3

export async function watchEventful(atTheEnd: typeof onTestFinished = onTestFinished): Promise<Watched> {
  const github = await LocalGitHub.start({ hooks: ['127.0.0.0/8', '192.0.2.0/24'] })
  atTheEnd(() => github.close())
  const hooks = new Hooks({ secret: 'that of the server counts', logger: false })
  hooks.hook('push', () => 'done')
  hooks.hook('issues', { attempts: 2, backoff: '1ms' }, () => Promise.reject(new Error('down')))
  hooks.hook('watch', { attempts: 2, backoff: 3_600_000 }, () => Promise.reject(new Error('not yet')))
  hooks.hook('fork', () => Promise.reject(new Discard('not ours')))
  hooks.hook('label', { concurrency: 1 }, (_data, _guid, { signal }) => once(signal, 'abort'))
  const hook = github.addHook({ repository: 'acme/shop', url: 'http://127.0.0.1:9/hooks' })
  const recovery = { recover: `acme/shop#${hook.id}`, githubToken: github.addToken() }
  const watched = await watch(hooks, { apiUrl: github.url, maxSize: '1GiB', ...recovery }, atTheEnd)

  const shows = (series: string, value: number) =>
    eventually(async () => {
      const shown = await watched.value(`hookserver_${series}`)
      if (shown !== value) throw new Error(`${series} is still ${shown}`)
    })
  for (const guid of ['a', 'b', 'c', 'a', 'b']) await watched.deliver('push', { guid })
  await watched.deliver('push', { guid: 'a', payload: { other: 'bytes' } })
  await watched.deliver('issues', { guid: 'd' })
  await shows('dead_deliveries_total{event="issues"}', 1)
  await watched.deliver('issues', { guid: 'd' })
  await shows('dead_deliveries_total{event="issues"}', 2)
  await watched.deliver('fork', { secret: secrets[1] as string })
  await watched.deliver('star')
  await watched.deliver('watch')
  for (let times = 0; times < 3; times++) await watched.deliver('push', { secret: 'unknown' })
  const { publicUrl = '' } = watched.service
  for (const elsewhere of [`${publicUrl}/elsewhere`, publicUrl]) await fetch(elsewhere)
  const octokit = await hooks.octokit({ repository: 'acme/shop' })
  await octokit.request('GET /repos/acme/shop/hooks')
  await shows('github_rate_limit_requests{caller="token",resource="core"}', 5000)
  await shows('inbox_deliveries{state="done"}', 4)
  await shows('recovery_failing_webhooks', 0)
  await shows('inbox_deliveries{state="discarded"}', 1)
  await shows('inbox_deliveries{state="ignored"}', 1)
  await shows('inbox_deliveries{state="retrying"}', 1)
  return watched
}
