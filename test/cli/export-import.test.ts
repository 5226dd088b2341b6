import { constants } from 'node:buffer'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { exportLine } from '../../src/cli/deliveries/export-import.ts'
import { lookbackLimits } from '../../src/github/lookback.ts'
import type { DeliveryDetail } from '../../src/inbox/records.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { migrations } from '../../src/sqlite/migrations.ts'
import { Writer } from '../../src/sqlite/writer.ts'
import { inboxFile, storeIn } from '../inbox/stores.ts'
import { project } from '../server/service.ts'
import { hookserver } from './command.ts'
import { issue, push, scene } from './inbox-scene.ts'

/** An export in a file, and a database to import it into. */
async function exported(...args: string[]) {
  const from = await scene([
    ['push', push('acme/shop')],
    ['issues', issue(7, 'naïve 🚀 \u001b[31m')],
    ['star', { action: 'created' }],
  ])
  const { code, stdout, stderr } = await from.run('export', ...args)
  expect(code).toBe(0)
  const file = join(project(), 'deliveries.jsonl')
  writeFileSync(file, stdout)
  const to = inboxFile()
  const run = (path = file) => hookserver(['deliveries', 'import', path, '--database', to])
  return { from, to, file, stdout, stderr, run }
}

function open(file: string) {
  const inbox = sqlite(file)
  onTestFinished(() => inbox.close())
  return inbox
}

describe('an export that is imported', () => {
  test('keeps all fields, in the same order', async () => {
    const { from, to, stdout, stderr, run } = await exported()
    expect(stderr).toBe('Exported 3 deliveries.\n')
    expect(stdout).not.toMatch(/\p{Cc}(?<!\n)/u)
    expect(await run()).toMatchObject({ code: 0, stdout: 'Imported 3 deliveries.\n', stderr: '' })
    const inbox = open(to)
    const [there, here] = [(await from.inbox.list({})).deliveries, (await inbox.list({})).deliveries]
    expect(here.map(({ guid, state, title }) => [guid, state, title])).toEqual(
      there.map(({ guid, state, title }) => [guid, state, title]),
    )
    for (const [index, { id }] of there.entries()) {
      const other = here[index]?.id ?? 0
      expect(await inbox.body(other)).toEqual(await from.inbox.body(id))
      expect((await inbox.get(other))?.tasks).toEqual((await from.inbox.get(id))?.tasks)
    }
  })

  test('may begin with a byte order mark', async () => {
    const { file, stdout, run } = await exported()
    writeFileSync(file, `\ufeff${stdout}`)
    expect(await run()).toMatchObject({ code: 0, stdout: 'Imported 3 deliveries.\n', stderr: '' })
  })

  test('lets recovery look as far back as that of the old database', async () => {
    const { from, to, run } = await exported()
    await run()
    const recoverSince = await from.inbox.createdAt()
    const [newest] = (await from.inbox.list({ limit: 1 })).deliveries
    const pollSince = (newest?.receivedAt ?? 0) - 300_000
    expect(await lookbackLimits(open(to))).toEqual({ recoverSince, pollSince })
    const again = await hookserver(['deliveries', 'export', '--database', to])
    expect(JSON.parse(again.stdout.split('\n')[0] ?? '')).toMatchObject({ lookback: { recoverSince, pollSince } })
  })

  test('lets polling look back to the newest delivery of GitHub, although schedules made others since then', async () => {
    const { inbox, run } = await scene([['push', push('acme/shop')]])
    const [newest] = (await inbox.list({ limit: 1 })).deliveries
    const receivedAt = (newest?.receivedAt ?? 0) + 5 * 3_600_000
    for (const source of ['schedule', 'dashboard']) await storeIn(inbox, {}, { source, receivedAt })
    const { stdout } = await run('export')
    const pollSince = (newest?.receivedAt ?? 0) - 300_000
    expect(JSON.parse(stdout.split('\n')[0] ?? '')).toMatchObject({ lookback: { pollSince } })
  })

  test('of some deliveries lets recovery look back to the newest delivery of the old database', async () => {
    const { from, to, run } = await exported('event:push')
    await run()
    const [newest] = (await from.inbox.list({ limit: 1 })).deliveries
    expect(newest?.event).toBe('star')
    const since = newest?.receivedAt
    expect(await lookbackLimits(open(to))).toEqual({ recoverSince: since, pollSince: since })
  })

  test('needs no last line if its version is 1', async () => {
    const { file, stdout, run } = await exported()
    const [, ...lines] = stdout.trimEnd().split('\n').slice(0, -1)
    writeFileSync(file, ['{"hookserver":"deliveries","version":1}', ...lines].join('\n'))
    expect(await run()).toMatchObject({ code: 0, stdout: 'Imported 3 deliveries.\n', stderr: '' })
  })

  test('can be imported again, which skips existing deliveries', async () => {
    const { run } = await exported()
    await run()
    expect((await run()).stdout).toBe('Imported 0 deliveries. Skipped 3 deliveries that already existed.\n')
  })

  test('reports the number of imported deliveries if the database rejects one', async () => {
    const { to, run } = await exported()
    await sqlite(to).close()
    const db = new DatabaseSync(to)
    db.exec(`create trigger rejects before insert on deliveries begin select raise(abort, 'not this one'); end`)
    db.close()
    expect(await run()).toMatchObject({
      code: 1,
      stdout: 'Imported 0 deliveries.\n',
      stderr: expect.stringContaining('not this one'),
    })
  })

  test('is imported up to the delivery that the database rejects, whose line is reported', async () => {
    const { to, file, run } = await exported()
    await sqlite(to).close()
    const db = new DatabaseSync(to)
    db.exec(`create trigger rejects before insert on deliveries when new.event = 'issues'
      begin select raise(abort, 'not this one'); end`)
    db.close()
    expect(await run()).toMatchObject({
      code: 1,
      stdout: 'Imported 1 delivery.\n',
      stderr: `hookserver: ${file}, line 3: not this one. The deliveries on earlier lines were imported.\n`,
    })
  })

  test('is imported in small transactions, with pauses while a server uses the file', async () => {
    const { file, to, run } = await exported()
    const [header, line] = readFileSync(file, 'utf8').split('\n') as [string, string]
    const delivery = JSON.parse(line) as { id: number; guid: string }
    const copies = Array.from({ length: 60 }, (_, n) => JSON.stringify({ ...delivery, guid: `guid ${n}` }))
    writeFileSync(file, [header, ...copies, '{"hookserver":"end","deliveries":60}'].join('\n'))
    const server = open(to)
    await server.heartbeat({ ...{ id: 'server', role: 'all', version: '1' }, startedAt: 0 })
    const [execute, timer] = [vi.spyOn(Writer.prototype, 'execute'), vi.spyOn(globalThis, 'setTimeout')]
    onTestFinished(() => void vi.restoreAllMocks())
    expect((await run()).stdout).toBe('Imported 60 deliveries.\n')
    const calls = execute.mock.calls.flatMap(([batch]) => batch)
    expect(calls.flatMap(({ method, args }) => (method === 'importDeliveries' ? args[0].length : []))).toEqual([
      25, 25, 10,
    ])
    // A pause is as long as the transaction before it, so it is no whole number, as all other delays are.
    expect(timer.mock.calls.filter(([, ms]) => !Number.isInteger(ms ?? 0))).toHaveLength(3)
  })

  test('may contain only the deliveries that match a query', async () => {
    const { stdout } = await exported('event:push')
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).event),
    ).toEqual([undefined, 'push', undefined])
  })
})

describe('an export that cannot be imported', () => {
  /** Changes a member of the second delivery. */
  const changing = (name: string, value: unknown) => (line: string, index: number) =>
    index === 2 ? JSON.stringify({ ...JSON.parse(line), [name]: value }) : line

  const attempting = (attempt: object) => {
    const attempts = [{ ...{ number: 1, startedAt: 0, outcome: 'dead' }, ...attempt }]
    return changing('tasks', [{ handler: 'a', state: 'dead', attempts }])
  }

  test.each<[what: string, change: (line: string, index: number) => string, says: RegExp]>([
    ['no JSON', (line, index) => (index === 2 ? line.slice(0, 20) : line), /line 3: not JSON/],
    ['another body', changing('body', 'e30='), /line 3: "body" does not match "sha256"/],
    ['no GUID', changing('guid', 7), /line 3: "guid" is not a string/],
    ['a time that is not whole', changing('receivedAt', 1e300), /line 3: "receivedAt" is not a whole number/],
    ['an unknown state', changing('state', 'lost'), /line 3: "state"/],
    ['invalid tasks', changing('tasks', [{ handler: 'a', state: 'done' }]), /line 3: "attempts"/],
    [
      'a repeated task',
      changing('tasks', [
        { handler: 'a', state: 'done', attempts: [] },
        { handler: 'a', state: 'dead', attempts: [] },
      ]),
      /line 3: "tasks" has several items with the same "handler": keep one of them\. The deliveries on earlier lines/,
    ],
    [
      'an unknown state of a task',
      changing('tasks', [{ handler: 'a', state: 'lost', attempts: [] }]),
      /line 3: "state" of a task is unknown: use one of pending, running, .*\. The deliveries on earlier lines/,
    ],
    [
      'a key that is not a string',
      changing('tasks', [{ handler: 'a', state: 'done', key: 7 }]),
      /line 3: "key" is not/,
    ],
    ['a header that is not a string', changing('headers', { accept: {} }), /line 3: "accept" is not a string/],
    ['a title that is not a string', changing('title', ['x']), /line 3: "title" is not a string of at most 65536/],
    [
      'a number that SQLite could not read again',
      changing('number', 2 ** 53),
      /line 3: "number" is not a whole number/,
    ],
    ['an error that is not a string', attempting({ error: 7 }), /line 3: "error" of an attempt is not a string/],
    [
      'a log that is too long',
      attempting({ log: 'x'.repeat(65_537) }),
      /line 3: "log" of an attempt is .* at most 65536/,
    ],
  ])('is reported with the line number, and the earlier lines are imported: %s', async (_what, change, says) => {
    const { file, to, run } = await exported()
    writeFileSync(file, readFileSync(file, 'utf8').split('\n').map(change).join('\n'))
    const { code, stderr, stdout } = await run()
    expect([code, stdout]).toEqual([1, 'Imported 1 delivery.\n'])
    expect(stderr).toMatch(says)
    expect(stderr).not.toContain('acme')
    const { deliveries } = await open(to).list({})
    expect(deliveries).toHaveLength(1)
  })

  test.each<[what: string, change: (lines: string[]) => string[], imported: number, says: RegExp]>([
    ['the last line', (lines) => lines.slice(0, -1), 3, /is incomplete: its last line is missing\./],
    ['the last two lines', (lines) => lines.slice(0, -2), 2, /is incomplete: its last line is missing\./],
    ['all lines but the first', (lines) => lines.slice(0, 1), 0, /is incomplete: its last line is missing\./],
    ['a line in the middle', (lines) => lines.toSpliced(2, 1), 2, /is incomplete: it has 2 of 3 deliveries\./],
    ['no line, and has another export at its end', (lines) => [...lines, ...lines], 3, /line 6: the export has ended/],
  ])('is imported as far as possible if it lacks %s', async (_what, change, imported, says) => {
    const { file, to, stdout, run } = await exported()
    writeFileSync(file, change(stdout.trimEnd().split('\n')).join('\n'))
    const { code, stdout: said, stderr } = await run()
    expect([code, said]).toEqual([1, expect.stringMatching(new RegExp(`^Imported ${imported} deliver`))])
    expect(stderr).toMatch(says)
    const inbox = open(to)
    expect((await inbox.list({})).deliveries).toHaveLength(imported)
    expect((await lookbackLimits(inbox)).recoverSince).toBe(await inbox.createdAt())
    writeFileSync(file, stdout)
    expect(await run()).toMatchObject({ code: 0 })
  })

  test.each<[string, (text: string) => string | Buffer, string]>([
    ['UTF-16', (text) => Buffer.from(`\ufeff${text}`, 'utf16le'), 'UTF-16 text: convert the file to UTF-8'],
    ['UTF-16 without a mark', (text) => Buffer.from(text, 'utf16le'), 'UTF-16 text: convert the file to UTF-8'],
    ['gzip', (text) => gzipSync(text), 'not a text: if the file is compressed, decompress it first'],
    ['another file', () => 'a\n', 'not JSON'],
    ['other JSON', () => '{}\n', 'not an export: create one with "hookserver deliveries export"'],
    [
      'another version',
      () => '{"hookserver":"deliveries","version":3}\n',
      'export version 3 is not supported, only versions 1 to 2: upgrade hookserver',
    ],
  ])('may have a first line that cannot be read, and then creates no database: %s', async (_, encode, reason) => {
    const { file, to, stdout, run } = await exported()
    writeFileSync(file, encode(stdout))
    expect(await run()).toMatchObject({ code: 1, stdout: '', stderr: `hookserver: ${file}, line 1: ${reason}.\n` })
    expect(existsSync(to)).toBe(false)
  })

  test('may be a file that does not exist, or is empty, and then creates no database', async () => {
    const folder = project({ empty: '' })
    const run = (name: string) =>
      hookserver(['deliveries', 'import', join(folder, name), '--database', join(folder, 'new.db')])
    expect(await run('nothing')).toMatchObject({
      ...{ code: 1, stdout: '' },
      stderr: expect.stringMatching(/Cannot read .*nothing: ENOENT/),
    })
    expect(await run('empty')).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('is empty') })
    expect(existsSync(join(folder, 'new.db'))).toBe(false)
  })
})

test('a delivery whose line would be too long cannot be exported, and is named', async () => {
  const { inbox, ids } = await scene([['push', push('acme/shop')]])
  const [id = 0] = ids
  const max = constants.MAX_STRING_LENGTH
  const detail = (await inbox.get(id)) as DeliveryDetail
  const long = Object.defineProperty(detail, 'title', { enumerable: true, get: () => 'x'.repeat(max + 1) })
  const client = { get: async () => long, body: () => inbox.body(id) }
  await expect(exportLine(client, id)).rejects.toThrow(
    `Cannot export delivery ${id}: its line would be longer than ${max} bytes`,
  )
})

describe('migrate', () => {
  test('creates a database, and reports that an existing one is up to date', async () => {
    const file = join(project(), 'new.db')
    expect(await hookserver(['migrate', '--database', file])).toMatchObject({
      code: 0,
      stdout: `${file} was created.\n`,
    })
    const again = await hookserver(['migrate', '--database', file])
    expect(again).toMatchObject({ code: 0, stdout: `${file} is up to date.\n` })
  })

  test('says how many steps led from the version of a file to this one', async () => {
    const file = join(project(), 'old.db')
    const db = new DatabaseSync(file)
    db.exec(readFileSync(new URL('../sqlite/version-1.sql', import.meta.url), 'utf8'))
    db.close()
    const migrated = await hookserver(['migrate', '--database', file])
    expect(migrated).toMatchObject({ code: 0, stdout: `${file} was migrated in ${migrations.length} steps.\n` })
    expect((await hookserver(['migrate', '--database', file])).stdout).toBe(`${file} is up to date.\n`)
  })

  test('fails for a folder, and says what to do', async () => {
    const folder = project()
    const { code, stderr } = await hookserver(['migrate', '--database', folder])
    expect([code, stderr]).toEqual([1, expect.stringContaining('it is a folder: name a file')])
  })
})
