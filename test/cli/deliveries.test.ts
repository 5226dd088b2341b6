import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Hooks } from '../../src/hooks.ts'
import type { Store } from '../../src/inbox/inbox.ts'
import type { DeliverySummary } from '../../src/inbox/records.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { due, ordered, TestWorker } from '../../src/testing/inbox-contract/test-worker.ts'
import { detailIn, eventually, inboxFile, stateIn, storeIn } from '../inbox/stores.ts'
import { project } from '../server/service.ts'
import { hasTerminals, hookserver, hookserverProcess, onTerminal } from './command.ts'
import { handleAll, issue, push, scene } from './inbox-scene.ts'

const parsed = (stdout: string): DeliverySummary[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

describe('deliveries list', () => {
  test('suggests another name if it finds nothing', async () => {
    const { run } = await scene([['push', push('acme/till')]])
    const { code, stdout, stderr } = await run('list', 'event:isues')
    expect([code, stdout]).toEqual([0, ''])
    expect(stderr).toMatch(/^No deliveries found\.\nhookserver: Unknown event "isues"\. Did you mean "issues"\?/)
  })

  test('shows the newest first, with the state in words', async () => {
    const { run, ids } = await scene([
      ['issues', issue(1)],
      ['push', push('acme/till')],
      ['star', {}],
    ])
    const { code, stdout, stderr } = await run('list')
    const [titles, ...rows] = stdout.trimEnd().split('\n')
    expect(titles).toMatch(/^ID +AGE +STATE +EVENT +REPOSITORY +SENDER +TITLE +ERROR$/)
    expect(rows.map((row) => row.split(/ {2,}/).filter((_, index) => index !== 1))).toEqual([
      [String(ids[2]), 'ignored', 'star'],
      [String(ids[1]), 'done', 'push', 'acme/till', 'hubot', 'refs/heads/main'],
      [
        String(ids[0]),
        'dead',
        'issues.opened',
        'acme/shop',
        'octocat',
        'A bug',
        'tracker: Error: No issues here\ufffd[31m',
      ],
    ])
    expect([code, stderr]).toEqual([0, ''])
  })

  test('filters by words and options', async () => {
    const { run, ids } = await scene([
      ['issues', issue(1)],
      ['issues', issue(2)],
      ['push', push('acme/till')],
    ])
    const found = async (...args: string[]) => {
      const { code, stdout } = await run('list', '--json', ...args)
      expect(code).toBe(0)
      return parsed(stdout).map(({ id }) => ids.indexOf(id) + 1)
    }
    expect(await found('event:issues', 'state:dead', 'acme', 'issue.number:2')).toEqual([2])
    expect(await found('issue.title:"A bug"')).toEqual([2, 1])
    expect(await found('--event', 'issues.opened', '--repository', 'acme/shop')).toEqual([2, 1])
    expect(await found('event:issues.closed')).toEqual([])
    expect(await found('--state', 'done')).toEqual([3])
    expect(await found('event:issues.opened', 'state:dead', '--event', 'issues', '--state', 'dead')).toEqual([2, 1])
    expect(await found('state:dead,done', '--state', 'done')).toEqual([3])
    expect(await found('--since', '1h', 'hubot')).toEqual([3])
    expect(await found('since:1h', 'hubot', 'until:2999-01-01')).toEqual([3])
    expect(await found('--since', '2999-01-01')).toEqual([])
    expect(await found('--limit', '2')).toEqual([3, 2])
    expect(await found('-n', '1')).toEqual([3])
  })

  test('rejects invalid values', async () => {
    const rejected = async (...args: string[]) => {
      const { code, stderr } = await hookserver(['deliveries', 'list', ...args])
      expect(code).toBe(2)
      return stderr
    }
    expect(await rejected('state:deed')).toContain('state: expected one of pending, running')
    expect(await rejected('since:tomorrow')).toContain('since: expected milliseconds since 1970, a date')
    expect(await rejected('--state', 'deed')).toContain('--state: expected one of pending, running')
    expect(await rejected('--limit', '0')).toContain('--limit: expected a whole number from 1 to 999999999, got "0"')
    expect(await rejected('--since', 'yesterday')).toContain('--since: expected a duration such as 30m')
    expect(await rejected('--server', 'http://[::1]:1', '--database', 'x')).toContain(
      '--database and --server cannot be used together',
    )
    expect(await rejected('--color')).toContain("unknown option '--color'")
  })

  test('lists more than a page with --all', async () => {
    const { inbox, run } = await scene([])
    await Promise.all(Array.from({ length: 501 }, () => storeIn(inbox)))
    expect(parsed((await run('list', '--json', '--all')).stdout)).toHaveLength(501)
    expect((await run('list', '--all')).stdout.trimEnd().split('\n')).toHaveLength(502)
    expect(parsed((await run('list', '--json')).stdout)).toHaveLength(50)
  })

  test('prints no control characters, in a table or in JSON', async () => {
    const title = 'red \u001b[31m\u009b2J\u202e\u0007\nnext'
    const { run } = await scene([['issues', issue(1, title)]])
    const table = await run('list')
    expect(table.stdout).toContain(
      'red \ufffd[31m\ufffd2J\ufffd\ufffd next  tracker: Error: No issues here\ufffd[31m\n',
    )
    const json = await run('list', '--json')
    expect(json.stdout).not.toMatch(/[\p{Cc}\u202e](?!$)/u)
    expect(parsed(json.stdout)[0]?.title).toBe(title)
  })

  test('creates no database, and says what to do', async () => {
    const missing = join(inboxFile(), '..', 'missing.db')
    const { code, stderr } = await hookserver(['deliveries', 'list', '--database', missing])
    expect(stderr).toBe(
      `hookserver: There is no database ${missing} (--database): start the server once to create it, or run this command in the folder of the server. For another database, pass --database. For a remote server, pass --server\n`,
    )
    expect(code).toBe(1)
    const again = await hookserver(['deliveries', 'list'], { DATABASE_URL: missing })
    expect(again.stderr).toContain('(the environment variable DATABASE_URL)')
  })

  test('finds the database in its variable, and ignores the other settings', async () => {
    const { file } = await scene([['star', {}]])
    const { code, stdout } = await hookserver(['deliveries', 'list', '--json'], {
      HOOKSERVER_DATABASE: file,
      PORT: 'x',
    })
    expect([code, parsed(stdout).length]).toEqual([0, 1])
  })

  test.runIf(hasTerminals)('fits the terminal, in colors unless NO_COLOR is set', async () => {
    const { file } = await scene([['issues', issue(1, `${'漢字'.repeat(50)}`)]])
    const args = ['deliveries', 'list', '--database', file]
    const { stdout } = await onTerminal(args, { columns: 60 })
    expect(stdout).toContain('\u001b[31mdead\u001b[39m')
    const plain = await onTerminal(args, { columns: 60, env: { NO_COLOR: '1' } })
    expect(plain.stdout).not.toContain('\u001b')
    const row = plain.stdout.split('\r\n')[1] ?? ''
    const width = [...row].length + (row.match(/[漢字]/g) ?? []).length
    expect([row.at(-1), width === 60 || width === 59]).toEqual(['…', true])
  })
})

describe('deliveries show', () => {
  test('shows fields, timeline and headers', async () => {
    const { file, inbox, run } = await scene([])
    const headers = { 'x-github-event': 'issues', 'user-agent': 'GitHub-Hookshot/1\u001b]0;x' }
    const id = await storeIn(inbox, issue(7), { event: 'issues', headers, address: '192.0.2.1', guid: 'the-guid' })
    await handleAll(file)
    const { code, stdout, stderr } = await run('show', String(id))
    expect(stdout).toMatch(/^ {2}state +dead$/m)
    expect(stdout).toMatch(/^ {2}guid +the-guid$/m)
    expect(stdout).toMatch(/^ {2}signature +sha256 by secret 1$/m)
    expect(stdout).toMatch(/^ +\+0 ms {2}received from 192\.0\.2\.1, \d{4}-\d\d-\d\dT/m)
    expect(stdout).toMatch(/^ +\+\d.* {2}stored$/m)
    expect(stdout).toMatch(
      /^ +\+\d.* {2}tracker, attempt 1: dead after \d.*\n.*:\d+:\d+\n +throw .*\n +\^\n +Error: No issues here\ufffd\[31m\n +at /m,
    )
    expect(stdout).toMatch(/^ +log: .*seen opened/m)
    expect(stdout).toMatch(/^ {2}user-agent +GitHub-Hookshot\/1\ufffd\]0;x$/m)
    expect([code, stderr]).toEqual([0, ''])
  })

  test('shows a logged error below its entry, with the line of the user', async () => {
    const { file, inbox, run } = await scene([])
    const id = await storeIn(inbox, issue(7), { event: 'issues' })
    const hooks = new Hooks({ logger: false, inbox: sqlite(file) })
    hooks.on('issues', { name: 'tracker' }, ({ log }) => {
      log.warn({ note: 1, err: new Error('No {"issues"} here') }, 'Cannot {"track"}')
      log.info({ issue: 7 }, 'Ended')
    })
    await hooks.drain()
    await hooks.close()
    const { stdout } = await run('show', String(id))
    expect(stdout).toMatch(
      /\n +log:\n +\S+ warn Cannot \{"track"\} \{"note":1\}\n.*deliveries\.test\.ts:\d+:\d+\n +log\.warn.*\n +\^\n +Error: No \{"issues"\} here\n +at .*deliveries\.test\.ts/,
    )
    expect(stdout).toMatch(/\n +\S+ info Ended \{"issue":7\}\n/)
    expect(stdout).not.toMatch(/\\n|task-runs/)
  })

  test('shows the line of the user for an error of hookserver', async () => {
    const { file, inbox, run } = await scene([])
    const id = await storeIn(inbox, issue(7), { event: 'issues' })
    const hooks = new Hooks({ logger: false, inbox: sqlite(file), onDead: () => {} })
    hooks.on(
      'issues',
      { name: 'merger', attempts: 1 },
      (delivery) => void (delivery as never as { pullRequest(): object }).pullRequest(),
    )
    hooks.work()
    await eventually(async () => expect((await inbox.get(id))?.state).toBe('dead'))
    await hooks.close()
    const { stdout } = await run('show', String(id))
    expect(stdout).toMatch(
      /merger, attempt 1: dead after .*\n.*deliveries\.test\.ts:\d+:\d+\n.*\.pullRequest\(\),?\n +\^\n +\w*Error: .*\n +at .*deliveries\.test\.ts:/,
    )
  })

  test('shows no line of code that was changed after the attempt, and no frames of hookserver and Node.js', async () => {
    const file = join(project({ 'broken.ts': 'throw new Error()' }), 'broken.ts')
    utimesSync(file, 0, Date.now() / 1000 + 60)
    const { inbox, run } = await scene([])
    const id = await storeIn(inbox, push('acme/shop'), { event: 'push' })
    const worker = await TestWorker.register(inbox, 'deploy')
    const engine = ['    at new Promise (<anonymous>)', '    at node:internal/process:1:1']
    const error = ['Error: no', `    at ${file}:1:7`, ...engine, `Caused by: ${'x'.repeat(9)}`].join('\n')
    await worker.finish(await worker.begin(id, 'deploy'), 'failed', { error })
    const { stdout } = await run('show', String(id))
    expect(stdout).toMatch(/deploy, attempt 1: failed.*\n +Error: no\n +at .*broken\.ts:1:7\n +Caused by: x+\n/)
  })

  test('says why a delivery waits: its handler is paused, and no process runs handlers', async () => {
    const file = inboxFile()
    const inbox = sqlite(file)
    onTestFinished(() => inbox.close())
    const id = await storeIn(inbox, push('acme/shop'), { event: 'push' })
    const worker = await TestWorker.register(inbox, 'deploy')
    await inbox.pause('deploy')
    await worker.match(id, due('deploy'))
    const run = (...args: string[]) => hookserver(['deliveries', ...args, '--database', file])
    const note = 'hookserver: No process runs handlers, so unfinished deliveries wait'
    const shown = await run('show', String(id))
    expect([shown.stdout, shown.stderr]).toEqual([
      expect.stringContaining('deploy is pending, waits: it is paused'),
      expect.stringContaining(note),
    ])
    expect((await run('list')).stderr).toContain(note)
    await inbox.heartbeat({ id: 'a', role: 'worker', version: '1.2.3', startedAt: 1000 })
    expect((await run('list')).stderr).toBe('')
    expect((await run('show', String(id))).stderr).toBe('')
  })

  test('names the delivery that an ordered one waits for', async () => {
    const { inbox, run } = await scene([])
    const ids = [await storeIn(inbox), await storeIn(inbox)]
    const worker = await TestWorker.register(inbox, 'deploy')
    for (const id of ids) await worker.match(id, ordered('deploy', 'acme/shop'))
    const waits = `, order key acme/shop, waits: delivery ${ids[0]} with this key has to end first\n`
    expect((await run('show', String(ids[1]))).stdout).toContain(`deploy is pending${waits}`)
    expect((await run('show', String(ids[0]))).stdout).toContain('deploy is pending, order key acme/shop\n')
  })

  test('names the earlier delivery with the same body', async () => {
    const { run, ids } = await scene([
      ['push', push('acme/till')],
      ['push', push('acme/till')],
    ])
    const [first, second] = await Promise.all(ids.map(async (id) => (await run('show', String(id))).stdout))
    expect(first).not.toContain('same body')
    expect(second).toMatch(new RegExp(`^ {2}same body +as delivery ${ids[0]}$`, 'm'))
  })

  test('shows the result of a handler', async () => {
    const { run, ids } = await scene([['push', push('acme/till')]])
    const { stdout } = await run('show', String(ids[0]))
    expect(stdout).toMatch(/builder, attempt 1: succeeded after .*\n +result: built\n/)
    expect(stdout).toMatch(/^ +replied$|^ +\+.* {2}replied$/m)
  })

  test('prints the original payload', async () => {
    const { inbox, run } = await scene([])
    const body = Buffer.from([0x7b, 0xff, 0x00, 0x1b, 0x0a, 0x7d])
    const id = await storeIn(inbox, {}, { body })
    expect((await run('show', String(id), '--body')).bytes).toEqual(body)
  })

  test.runIf(hasTerminals)(
    'escapes what could control the terminal in a payload, but not for another program',
    async () => {
      const { inbox, file, run } = await scene([])
      const body = '{"title":"naïve \u009b31m\u202e🚀"}\n'
      const id = String(await storeIn(inbox, {}, { body: Buffer.from(body) }))
      const { stdout } = await onTerminal(['deliveries', 'show', id, '--body', '--database', file])
      expect(stdout).toBe('{"title":"naïve \\u009b31m\\u202e🚀"}\r\n')
      expect((await run('show', id, '--body')).stdout).toBe(body)
    },
  )

  test('prints all fields as JSON', async () => {
    const { inbox, run, ids } = await scene([['issues', issue(1)]])
    const { stdout } = await run('show', String(ids[0]), '--json')
    expect(JSON.parse(stdout)).toEqual(JSON.parse(JSON.stringify(await detailIn(inbox, ids[0] as number))))
  })

  test('shows the newest delivery as "latest"', async () => {
    const { run, ids } = await scene([
      ['push', push('acme/one')],
      ['push', push('acme/two')],
    ])
    expect((await run('show', 'latest')).stdout).toContain(`delivery    ${ids[1]}\n`)
  })

  test('says how to send a delivery if there is no latest one', async () => {
    const { run } = await scene([])
    expect(await run('show', 'latest')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('hookserver send push'),
    })
  })

  test('fails for a delivery that does not exist, and for text that is not a number', async () => {
    const { run } = await scene([])
    expect(await run('show', '12')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no delivery 12'),
    })
    expect(await run('show', '12', '--body')).toMatchObject({ code: 1, stdout: '' })
    expect(await run('show', 'x')).toMatchObject({ code: 2, stderr: expect.stringContaining('got "x"') })
  })
})

describe('deliveries retry and discard', () => {
  const three = [
    ['issues', issue(1)],
    ['issues', issue(2)],
    ['push', push('acme/till')],
  ] as const
  const statesIn = (inbox: Store, ids: readonly number[]) => Promise.all(ids.map((id) => stateIn(inbox, id)))

  test('retry the deliveries that were named, once each', async () => {
    const { inbox, ids, run } = await scene(three)
    const { code, stdout, stderr } = await run('retry', String(ids[0]), String(ids[2]), String(ids[0]))
    expect([code, stdout, stderr]).toEqual([0, '2 deliveries are pending, and will be retried.\n', ''])
    expect(await statesIn(inbox, ids)).toEqual(['pending', 'dead', 'pending'])
  })

  test('discard with a reason', async () => {
    const { inbox, ids, run } = await scene(three)
    const { code, stdout } = await run('discard', String(ids[0]), '--reason', 'known by now')
    expect([code, stdout]).toEqual([0, 'Discarded 1 delivery.\n'])
    expect(await detailIn(inbox, ids[0] as number)).toMatchObject({ state: 'discarded', reason: 'known by now' })
  })

  test('fail if a delivery that was named is skipped', async () => {
    const { ids, run } = await scene(three)
    const { code, stdout, stderr } = await run('discard', String(ids[0]), String(ids[2]))
    expect([code, stdout, stderr]).toEqual([
      1,
      'Discarded 1 delivery.\n',
      'Skipped 1: already done, discarded or ignored.\n',
    ])
  })

  test.each(['retry', 'discard'])('name the ids that do not exist: %s', async (command) => {
    const { ids, run } = await scene(three)
    const { code, stderr } = await run(command, String(ids[0]), '99999')
    expect([code, stderr]).toEqual([1, 'Not found: 99999.\n'])
  })

  test('take all deliveries that match a query, without confirmation if --yes is passed', async () => {
    const { inbox, ids, run } = await scene(three)
    const { code, stdout } = await run('retry', '--query', 'state:dead acme', '--yes')
    expect([code, stdout]).toEqual([0, '2 deliveries are pending, and will be retried.\n'])
    expect(await statesIn(inbox, ids)).toEqual(['pending', 'pending', 'done'])
    expect(await run('retry', '--state', 'dead', '--yes')).toMatchObject({
      code: 0,
      stdout: 'No deliveries selected. Nothing was changed.\n',
    })
  })

  test('retry one handler', async () => {
    const { inbox, ids, run } = await scene(three)
    const [issueId = 0, , pushId = 0] = ids
    const retried = await run('retry', String(pushId), '--handler', 'builder')
    expect(retried).toMatchObject({ code: 0, stdout: '1 delivery is pending, and will be retried.\n' })
    expect((await detailIn(inbox, pushId)).tasks).toMatchObject([{ handler: 'builder', state: 'pending' }])
    expect(await run('retry', String(issueId), '--handler', 'builder')).toMatchObject({
      ...{ code: 1, stdout: 'Nothing was changed.\n' },
      stderr: 'Skipped 1: builder is no handler of the delivery, or has still to run.\n',
    })
    expect(await run('retry', '--query', 'state:dead', '--yes', '--handler', 'tracker')).toMatchObject({
      stdout: '2 deliveries are pending, and will be retried.\n',
    })
    expect(await run('retry', String(issueId), '--handler', '')).toMatchObject({ code: 2 })
  })

  test('only count in a dry run', async () => {
    const { inbox, ids, run } = await scene(three)
    const output = '2 deliveries selected. Dry run: nothing was changed.\n'
    expect(await run('discard', '--query', 'state:dead', '--dry-run')).toMatchObject({ code: 0, stdout: output })
    expect(await run('retry', String(ids[0]), String(ids[1]), '999', '--dry-run')).toMatchObject({ stdout: output })
    expect(await statesIn(inbox, ids)).toEqual(['dead', 'dead', 'done'])
  })

  test('reject an unclear selection, and change nothing', async () => {
    const { inbox, ids, run } = await scene(three)
    const rejected = async (...args: string[]) => {
      const { code, stderr } = await run('discard', ...args)
      expect(code).toBe(2)
      return stderr
    }
    expect(await rejected('--query', 'state:dead')).toContain(
      'Cannot ask for confirmation without a terminal: pass --yes',
    )
    expect(await rejected('--query', '', '--yes')).toContain('No deliveries are selected')
    expect(await rejected('--yes')).toContain('No deliveries are selected')
    expect(await rejected('1', '--state', 'dead', '--yes')).toContain('not both')
    expect(await rejected('one')).toContain('got "one"')
    const conflicts = [
      ['state:dead', '--state', 'done'],
      ['event:issues.opened', '--event', 'push'],
      ['action:opened', '--event', 'issues.closed'],
      ['repo:acme/shop', '--repository', 'acme/till'],
      ['since:2026-12-01', '--since', '2026-01-01'],
    ] as const
    for (const [query, flag, value] of conflicts) {
      const reason = `${flag} and the query select different deliveries: leave one of the two conditions out`
      expect(await rejected('--query', query, flag, value, '--yes')).toContain(reason)
    }
    expect(await statesIn(inbox, ids)).toEqual(['dead', 'dead', 'done'])
  })

  test.runIf(hasTerminals).each([
    ['y\n', 'Discarded 2 deliveries.', 'discarded'],
    ['\n', 'Nothing was changed.', 'dead'],
    ['no\n', 'Nothing was changed.', 'dead'],
    ['\u0004', 'Nothing was changed.', 'dead'],
  ])('ask on a terminal: %j', async (typed, told, state) => {
    const { inbox, ids, file } = await scene(three)
    const args = ['deliveries', 'discard', '--query', 'state:dead', '--database', file]
    const { code, stdout } = await onTerminal(args, { typed })
    expect(stdout).toContain('Discard 2 deliveries? [y/N] ')
    expect(stdout).toContain(told)
    expect(code).toBe(0)
    expect(await stateIn(inbox, ids[0] as number)).toBe(state)
  })

  test.runIf(hasTerminals)('do not affect deliveries that arrive before the confirmation', async () => {
    const { inbox, file } = await scene([])
    const old = await storeIn(inbox)
    let late = 0
    const isLate = { receivedAt: Date.now() - 60_000 } // the clock of another receiver may be behind
    const args = ['deliveries', 'discard', '--state', 'pending', '--database', file]
    await onTerminal(args, { typed: 'y\n', meanwhile: async () => void (late = await storeIn(inbox, {}, isLate)) })
    expect(await statesIn(inbox, [old, late])).toEqual(['discarded', 'pending'])
  })
})

test('every command explains itself, with examples', async () => {
  for (const name of ['list', 'show', 'retry', 'discard']) {
    const { code, stdout } = await hookserver(['deliveries', name, '--help'])
    expect(code).toBe(0)
    expect(stdout).toMatch(new RegExp(`\nExamples:\n( {2}hookserver deliveries ${name}.*\n)+`))
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(90)
  }
})

test('ends without an error if the reader closes the pipe', async () => {
  const { inbox, file } = await scene([])
  await Promise.all(Array.from({ length: 1000 }, () => storeIn(inbox)))
  const { code, stdout, stderr } = await hookserverProcess(
    ['deliveries', 'list', '--all', '--json', '--database', file],
    {},
    { leaves: true },
  )
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout.length).toBeGreaterThan(0)
})
