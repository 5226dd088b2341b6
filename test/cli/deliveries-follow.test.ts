import { describe, expect, onTestFinished, test } from 'vitest'
import { follow } from '../../src/cli/deliveries/follow.ts'
import type { Store } from '../../src/inbox/inbox.ts'
import type { DeliveryState, DeliverySummary } from '../../src/inbox/records.ts'
import { eventually, inboxFile, openInbox, storeIn } from '../inbox/stores.ts'
import { openAdmin, token } from '../server/administered.ts'
import { interruptHere, runHere } from './command.ts'
import { handleAll, issue, push, scene } from './inbox-scene.ts'

/** Runs `deliveries list --follow`. */
function following(args: readonly string[], env: Record<string, string> = {}) {
  const output = { stdout: '', stderr: '' }
  const onOutput = (chunk: Buffer, stream: 'stdout' | 'stderr') => void (output[stream] += chunk)
  const ended = runHere(['deliveries', 'list', '--follow', ...args], env, { cwd: '/', onOutput })
  const stop = async () => {
    const timer = setInterval(interruptHere, 10)
    return ended.finally(() => clearInterval(timer))
  }
  onTestFinished(async () => void (await stop()))
  const has = (pattern: RegExp) => eventually(() => expect(output.stdout).toMatch(pattern))
  return { output, ended, stop, has }
}

const rows = ({ stdout }: { stdout: string }) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/))

describe('deliveries list --follow', () => {
  test('prints the newest deliveries, oldest first, and then new ones that match', async () => {
    const { file, inbox } = await scene([
      ['push', push('acme/one')],
      ['push', push('acme/two')],
      ['push', push('acme/three')],
    ])
    const { output, stop, has } = following(['event:push', '-n', '2', '--database', file])
    await has(/acme\/three/)
    await storeIn(inbox, issue(1), { event: 'issues' })
    await storeIn(inbox, push('acme/four'), { event: 'push' })
    await handleAll(file)
    await has(/done.*acme\/four/)
    expect(await stop()).toBe(0)
    const [titles, ...found] = rows(output)
    expect(titles).toEqual(['ID', 'TIME', 'STATE', 'EVENT', 'REPOSITORY', 'SENDER', 'TITLE', 'ERROR'])
    const repositories = found.flatMap((row) => row[4] ?? []) // it is empty until the delivery is matched
    expect([...new Set(repositories)]).toEqual(['acme/two', 'acme/three', 'acme/four'])
    expect(output.stderr).toBe('')
  })

  test('prints a delivery again when its handler has failed, with the error', async () => {
    const file = inboxFile()
    const inbox = openInbox(file)
    const { output, has } = following(['--database', file])
    await has(/^ID/)
    await storeIn(inbox, issue(1), { event: 'issues' })
    await has(/pending.*issues/)
    await handleAll(file)
    await has(/dead.*tracker: Error: No issues here/)
    expect(rows(output).map((row) => row[2])).toEqual(['STATE', 'pending', 'dead'])
    const [titles = '', ...lines] = output.stdout.trimEnd().split('\n')
    expect(lines.map((line) => line.search(/\bissues/))).toEqual([titles.indexOf('EVENT'), titles.indexOf('EVENT')])
    expect(lines[1]?.indexOf('tracker: ')).toBe(titles.indexOf('ERROR'))
  })

  test('follows a remote server, in JSON', async () => {
    const admin = await openAdmin()
    const env = { HOOKSERVER_SERVER: `http://${admin.host}`, HOOKSERVER_ADMIN_TOKEN: token }
    const { output, stop, has } = following(['--json'], env)
    await storedUntil(admin.inbox, () => output.stdout !== '')
    await has(/"event":"push".*\n/)
    expect(await stop()).toBe(0)
  })

  test('ends if the remote server does not let it in', async () => {
    const admin = await openAdmin()
    const env = { HOOKSERVER_SERVER: `http://${admin.host}`, HOOKSERVER_ADMIN_TOKEN: 'a-token-that-is-wrong' }
    const { output, ended } = following([], env)
    expect(await ended).toBe(1)
    expect(output.stderr).toContain('answered 401')
  })

  test('cannot be combined with --all', async () => {
    const { output, ended } = following(['--all', '--database', (await scene([])).file])
    expect(await ended).toBe(2)
    expect(output.stderr).toContain('--all and --follow cannot be used together')
  })
})

/** Stores deliveries until the command has printed one: it starts with those that arrive after its connection. */
async function storedUntil(inbox: Store, isPrinted: () => boolean): Promise<void> {
  await eventually(async () => {
    await storeIn(inbox, push('acme/shop'), { event: 'push', guid: crypto.randomUUID() })
    expect(isPrinted()).toBe(true)
  })
}

/** Lists all matches for each change, and returns the ids and states of the printed deliveries. */
async function printedAfter(matches: readonly (readonly DeliverySummary[])[], limit = 10): Promise<string[][]> {
  let found: readonly DeliverySummary[] = []
  const client: Parameters<typeof follow>[0] = {
    async *changes() {
      for (found of matches) yield
    },
    async list({ cursor = '0', limit = 50 }) {
      expect(limit).toBeLessThanOrEqual(500) // the maximum of the API
      const end = Number(cursor) + limit
      const next = end < found.length ? String(end) : undefined
      return { deliveries: found.slice(Number(cursor), end), next, scanned: limit, left: found.length }
    },
  }
  const printed: string[][] = []
  await follow(client, {}, limit, async (deliveries) => {
    printed.push(deliveries.map(({ id, state }) => `${id} ${state}`))
    return true
  })
  return printed
}

const delivery = (id: number, state: DeliveryState = 'done') => ({ id, state }) as DeliverySummary

/** Ended deliveries, newest first. */
const deliveries = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => delivery(last - index))

describe('the followed deliveries', () => {
  test('are printed again when they end or will be retried, and not when they start to run', async () => {
    expect(
      await printedAfter([
        [delivery(2, 'pending'), delivery(1)],
        [delivery(3, 'ignored'), delivery(2, 'running'), delivery(1)],
        [delivery(3, 'ignored'), delivery(2, 'retrying')],
        [delivery(2, 'running')],
        [delivery(2, 'retrying')],
        [delivery(2, 'done')],
        [delivery(2, 'done')],
      ]),
    ).toEqual([['1 done', '2 pending'], ['3 ignored'], ['2 retrying'], ['2 done']])
  })

  test('include older deliveries that match later', async () => {
    expect(
      await printedAfter([[delivery(101, 'dead')], [delivery(101, 'dead'), delivery(100, 'dead')], []], 1),
    ).toEqual([['101 dead'], ['100 dead']])
  })

  test('do not include older deliveries that matched before', async () => {
    const matches = deliveries(1, 200)
    expect(await printedAfter([matches, matches.slice(50), matches.slice(150)], 3)).toEqual([
      ['198 done', '199 done', '200 done'],
    ])
  })

  test('may be more than a page, at the start and later', async () => {
    const printed = await printedAfter([deliveries(1, 1200), deliveries(1, 1500)], 1000)
    expect(printed.map((some) => [some.length, some[0], some.at(-1)])).toEqual([
      [1000, '201 done', '1200 done'],
      [300, '1201 done', '1500 done'],
    ])
  })

  test('are not printed again after they are forgotten', async () => {
    const printed = await printedAfter([[], deliveries(1, 25_000), [delivery(25_001), delivery(24_999), delivery(10)]])
    expect(printed.map((some) => some.length)).toEqual([0, 25_000, 1])
  })
})
