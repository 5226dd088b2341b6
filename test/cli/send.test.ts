/** Runs `hookserver send` against a receiver that verifies the requests. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { sample, samples } from '../../src/samples/index.ts'
import {
  createFolder,
  hookserverCommand,
  listen,
  type Received,
  type RunOptions,
  receiver,
  secret,
} from './send/fixtures.ts'

const folder = createFolder()
const { to, origin, take } = await receiver()
const send = (args: readonly string[], options?: RunOptions) =>
  hookserverCommand(['send', '--to', to, ...args], options)
const json = async (args: readonly string[], options?: RunOptions) => {
  const { stdout, ...rest } = await send([...args, '--json'], options)
  return { ...rest, report: JSON.parse(stdout) }
}

beforeEach(() => void take())

describe('one delivery', () => {
  test("is a real payload with all of GitHub's headers, signed", async () => {
    const { code, stdout, stderr } = await send(['issues.opened'])
    expect([code, stderr]).toEqual([0, ''])
    const [{ guid, data, delivery }] = take().received as [Received]
    expect(stdout).toMatch(/^200 OK in [\d.]+ ms, GUID [0-9a-f-]{36}\nThanks for issues\n$/)
    expect(stdout).toContain(guid)
    expect(data).toMatchObject({ action: 'opened', issue: { title: expect.any(String) } })
    expect(Object.keys(delivery.headers)).toEqual(
      expect.arrayContaining([
        ...['accept', 'content-type', 'user-agent', 'x-github-delivery', 'x-github-event', 'x-github-hook-id'],
        ...['x-github-hook-installation-target-id', 'x-github-hook-installation-target-type', 'x-hub-signature'],
        'x-hub-signature-256',
      ]),
    )
  })

  test('has the GUID and the content type that were asked for', async () => {
    const { code, report } = await json(['push', '--guid', 'my-guid', '--form'])
    const { received, types } = take()
    expect([code, received[0]?.guid, types]).toEqual([0, 'my-guid', ['application/x-www-form-urlencoded']])
    expect(report).toEqual({
      ...{ ok: true, to, guid: 'my-guid', status: 200, text: 'Thanks for push' },
      ms: expect.any(Number),
    })
  })

  test('is the sample that --sample names, with the headers of --header', async () => {
    const headers = ['--header', 'X-Real-IP: 127.0.0.1', '--header', 'User-Agent: GitHub-Hookshot/test']
    const { code } = await send(['push', '--sample', '3', ...headers])
    const [{ data, delivery }] = take().received as [Received]
    expect([code, data]).toEqual([0, sample('push', 2)])
    expect(delivery.headers).toMatchObject({ 'x-real-ip': '127.0.0.1', 'user-agent': 'GitHub-Hookshot/test' })
  })

  test('is changed with --set', async () => {
    const set = ['repository.full_name=acme/app', 'issue.number=7', 'issue.labels=[{"name":"a=b"}]', 'new.made=true']
    const { code } = await send(['issues.opened', ...set.flatMap((one) => ['--set', one])])
    expect([code, take().received[0]?.data]).toMatchObject([
      0,
      {
        ...{ repository: { full_name: 'acme/app' }, issue: { number: 7, labels: [{ name: 'a=b' }] } },
        new: { made: true },
      },
    ])
  })

  test('may have its payload from a file, byte for byte, or from standard input', async () => {
    const text = '{ "action" : "happened",\n  "n": 1.0 }\n'
    const bodies: string[] = []
    const bytes = await listen(async (request, response) => {
      request.setEncoding('utf8').on('data', (chunk) => bodies.push(chunk))
      request.on('end', () => response.writeHead(202).end())
    })
    writeFileSync(join(folder, 'payload.json'), text)
    expect(await send(['brand_new.happened', '--file', 'payload.json', '--to', bytes])).toMatchObject({ code: 0 })
    expect(await send(['brand_new', '--file', '-', '--to', bytes], { input: `\ufeff${text}` })).toMatchObject({
      code: 0,
    })
    expect(bodies).toEqual([text, text])
    expect(await send(['push', '--file', '-', '--set', 'n=2'], { input: text })).toMatchObject({ code: 0 })
    expect(take().received[0]?.data).toEqual({ action: 'happened', n: 2 })
  })

  test('exits with 1 if it is rejected, and names the source of the secret', async () => {
    const { code, stdout, stderr } = await send(['push', '--secret', 'another'])
    expect([code, take().received]).toEqual([1, []])
    expect(stdout).toMatch(/^400 Bad Request in .*\n.*"wrong_signature"/)
    expect(stderr).toBe('hookserver: Signed with the secret from --secret: check that the server has the same secret\n')
  })

  test.each([
    [
      'forbidden_origin',
      'The server accepts only deliveries from the addresses of GitHub: start it with --dev to try it',
    ],
    ['missing_header', undefined],
  ])('exits with 1 if it is rejected with %s, and does not blame the secret', async (code, hint) => {
    const strict = await listen((_request, response) => void response.writeHead(403).end(JSON.stringify({ code })))
    const { stderr } = await send(['push', '--to', strict])
    expect(stderr).toBe(hint === undefined ? '' : `hookserver: ${hint}\n`)
  })

  test.each([
    ['--tamper', 'wrong_signature', []],
    ['--tamper', 'wrong_signature', ['--form']],
    ['--unsigned', 'missing_signature', []],
  ])('%s succeeds if the server rejects the delivery: %s', async (flag, code, more) => {
    const { report, ...rest } = await json(['push', flag, ...more])
    expect(rest).toEqual({ code: 0, stderr: '' })
    expect(report).toMatchObject({ ok: true, status: 400 })
    expect(JSON.parse(report.text)).toMatchObject({ code })
  })

  test.each(['--tamper', '--unsigned'])('%s exits with 1 if the server accepts the delivery', async (flag) => {
    const careless = await listen((_request, response) => void response.end('Welcome'))
    const { code, stdout } = await send(['push', flag, '--to', careless])
    expect([code, stdout]).toEqual([1, expect.stringMatching(/^200 OK/)])
  })

  test('is shown with an answer whose control characters are escaped', async () => {
    const hostile = await listen((_request, response) => void response.end('\x1b[2J\nnext'))
    const { stdout } = await send(['push', '--to', hostile])
    expect(stdout).not.toContain('\x1b')
    expect(stdout.split('\n').slice(1)).toEqual(['\ufffd[2J', 'next', ''])
  })
})

describe('--list', () => {
  test('counts the samples of all events', async () => {
    const { code, stdout, stderr } = await send(['--list'])
    expect([code, stderr, take().received]).toEqual([0, '', []])
    expect(stdout).toMatch(/^EVENT +SAMPLES\n/)
    expect(stdout).toMatch(/^issues\.opened +4\n/m)
    expect(stdout).toMatch(/^push +7\n/m)
  })

  test('shows the samples of one event, with the numbers that --sample takes', async () => {
    const { stdout } = await send(['push', '--list'])
    expect(stdout).toMatch(/^SAMPLE +EVENT +REPOSITORY +NUMBER +REF +TITLE\n1 +push .* refs\/heads\/master /)
    const lines = (await send(['push', '--list', '--json'])).stdout.trim().split('\n')
    const listed = lines.map((line) => JSON.parse(line))
    expect(listed.map(({ sample: number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(listed.map(({ ref }) => ref)).toEqual(samples('push').map(({ payload }) => payload.ref))
  })
})

describe('many deliveries', () => {
  test('are counted by status and answer', async () => {
    let count = 0
    const moody = await listen((_request, response) => {
      if (++count % 4 === 0) response.writeHead(503)
      response.end('Hm')
    })
    const { code, stdout } = await send(['push', '--count', '10', '--to', moody])
    expect(code).toBe(1)
    expect(stdout).toMatch(
      /^10 requests to http:\S+ in .*, \S+ per second\n\n200 +8 {2}Hm\n503 +2 {2}Hm\n\nlatency {2}p50 /,
    )
    expect(stdout).toMatch(/p50 \S+ ms {3}p95 \S+ ms {3}p99 \S+ ms {3}max \S+ ms\n$/)
  })

  test('repeat the samples in turn, each with a GUID of its own', async () => {
    const { code, report } = await json(['push', '--count', '9'])
    const { received } = take()
    expect([code, received.length, new Set(received.map(({ guid }) => guid)).size]).toEqual([0, 9, 9])
    expect(new Set(received.map(({ data }) => JSON.stringify(data))).size).toBe(7)
    expect(report).toMatchObject({
      ...{ ok: true, to, interrupted: false, sent: 9, answered: 9, failed: 0, statuses: { 200: 9 }, failures: {} },
      answers: [{ status: 200, text: 'Thanks for push', count: 9 }],
    })
    for (const name of ['p50', 'p95', 'p99', 'max']) expect(report.latency[name]).toBeGreaterThan(0)
    expect([report.seconds > 0, report.rate > 0]).toEqual([true, true])
  })

  test.each(['all', '*'])('%s sends every sample once', async (name) => {
    const { code, report } = await json([name, '--concurrency', '4'])
    expect([code, report.sent]).toEqual([0, 329])
    expect(new Set(take().received.map(({ delivery }) => delivery.event)).size).toBe(58)
  })

  test('--duplicate sends each GUID twice', async () => {
    const { code, report } = await json(['push', '--count', '2', '--duplicate'])
    const guids = take().received.map(({ guid }) => guid)
    expect([code, report.sent, guids[0], guids[2]]).toEqual([0, 4, guids[1], guids[3]])
    expect(new Set(guids).size).toBe(2)
  })

  test('--concurrency is the number of simultaneous requests', async () => {
    const waiting: (() => void)[] = []
    let most = 0
    const patient = await listen((_request, response) => {
      most = Math.max(
        most,
        waiting.push(() => response.end()),
      )
      // Answers only when three requests are waiting, so the command would never end with fewer simultaneous ones.
      if (waiting.length === 3) for (const answer of waiting.splice(0)) answer()
    })
    const { code } = await send(['push', '--count', '6', '--concurrency', '3', '--to', patient])
    expect([code, most]).toEqual([0, 3])
  })

  test('are sent one after the other without --concurrency, on one connection', async () => {
    const ports = new Set<number | undefined>()
    const counting = await listen((request, response) => {
      ports.add(request.socket.remotePort)
      response.end()
    })
    await send(['push', '--count', '5', '--to', counting])
    expect(ports.size).toBe(1)
  })

  test('--rate delays requests that are not due', async () => {
    const first = Promise.withResolvers<void>()
    const counting = await listen((_request, response) => void response.end('Yes', () => first.resolve()))
    const during: RunOptions['during'] = (kill) => void first.promise.then(() => kill('SIGINT'))
    // The second request is due 1000 s after the first, although both could run at the same time.
    const { report } = await json(['push', '--count', '2', '--rate', '0.001', '--to', counting], { during })
    expect(report).toMatchObject({ interrupted: true, sent: 1 })
  })

  test('--rate reports that the server is too slow for it', async () => {
    const { code, report, stderr } = await json(['push', '--count', '5', '--rate', '100000', '--concurrency', '1'])
    expect([code, report.sent]).toEqual([0, 5])
    expect(stderr).toMatch(/^hookserver: The rate of 100000 per second was not reached/)
  })

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('end at %s with the summary so far', async (signal) => {
    let count = 0
    const third = Promise.withResolvers<void>()
    const hanging = await listen((_request, response) => {
      if (++count <= 2) response.end('Yes')
      else third.resolve() // never answers
    })
    const during: RunOptions['during'] = (kill) => void third.promise.then(() => kill(signal))
    const { code, report, stderr } = await json(['push', '--count', '50', '--to', hanging], { during })
    expect([code, stderr]).toEqual([1, ''])
    expect(report).toMatchObject({
      ok: false,
      interrupted: true,
      sent: 3,
      answered: 2,
      failed: 0,
      statuses: { 200: 2 },
    })
  })
})

describe('without an answer', () => {
  test('says what to do, and sends no more', async () => {
    const closed = 'http://127.0.0.1:1/hooks'
    const [one, { report }, many] = await Promise.all([
      send(['push', '--to', closed]),
      json(['push', '--to', closed]),
      json(['push', '--to', closed, '--count', '1000', '--rate', '0.001']),
    ])
    expect(one).toEqual({
      ...{ code: 1, stdout: '' },
      stderr: `hookserver: Connection to ${closed} refused: start the server, for example with "hookserver serve", or pass another URL with --to\n`,
    })
    expect(report).toMatchObject({ ok: false, status: null, failure: 'the connection was refused' })
    expect([many.code, many.stderr]).toEqual([1, one.stderr])
    expect(many.report).toMatchObject({
      ok: false,
      failed: 1,
      failures: { 'the connection was refused': 1 },
      latency: null,
    })
  })

  test('says that a server without TLS needs http:', async () => {
    const plain = await listen((_request, response) => void response.end())
    const { code, stderr } = await send(['push', '--to', plain.replace('http:', 'https:')])
    expect(code).toBe(1)
    expect(stderr).toMatch(/: the TLS handshake failed: if the server has no certificate, write http: in --to\n$/)
  })

  test('distinguishes a closed connection from a refused one, and sends the other requests', async () => {
    let count = 0
    const torn = await listen((request, response) => void (++count === 1 ? request.socket.destroy() : response.end()))
    const { code, stdout, stderr } = await send(['push', '--count', '2', '--to', torn])
    expect([code, stdout]).toEqual([1, expect.stringMatching(/\n200 +1\n--- +1 {2}the server closed the connection/)])
    expect(stderr).toMatch(/^hookserver: http.*: the server closed the connection before its answer was complete\n$/)
  })

  test('reports a path that does not exist', async () => {
    const { code, stderr } = await send(['push', '--to', `${origin}/elsewhere?token=${secret}`])
    expect([code, stderr]).toEqual([1, expect.stringMatching(/ does not receive at http:.*\/elsewhere: pass the URL /)])
  })
})

describe('the secret', () => {
  const none = { GITHUB_WEBHOOKS_KEY: '', SECRET_KEY: '' }

  test('is that of --secret, before that of the environment', async () => {
    const wrong = { GITHUB_WEBHOOKS_KEY: 'wrong', SECRET_KEY: 'wrong' }
    expect(await send(['push', '--secret', secret], { env: wrong })).toMatchObject({ code: 0 })
    expect(await send(['push'], { env: { ...wrong, GITHUB_WEBHOOKS_KEY: secret } })).toMatchObject({ code: 0 })
    expect(await send(['push'], { env: { ...none, SECRET_KEY: secret } })).toMatchObject({ code: 0 })
  })

  test('is that of --secret-file or of its variable, before other variables', async () => {
    writeFileSync(join(folder, 'secrets'), `${secret}\nan old one\n`, { mode: 0o600 })
    const wrong = { GITHUB_WEBHOOKS_KEY: 'wrong', SECRET_KEY: 'wrong' }
    expect(await send(['push', '--secret-file', 'secrets'], { env: wrong })).toMatchObject({ code: 0 })
    expect(await send(['push'], { env: { ...wrong, HOOKSERVER_SECRET_FILE: 'secrets' } })).toMatchObject({ code: 0 })
  })

  test('is that of a Probot app, before the one that "serve --dev" keeps', async () => {
    mkdirSync(join(folder, '.hookserver'))
    writeFileSync(join(folder, '.hookserver/secret'), 'that-of-an-earlier-server\n', { mode: 0o600 })
    expect(await send(['push'], { env: { ...none, WEBHOOK_SECRET: secret } })).toMatchObject({ code: 0 })
    rmSync(join(folder, '.hookserver'), { recursive: true })
  })

  test('is found where "serve --dev" keeps it', async () => {
    mkdirSync(join(folder, '.hookserver'))
    writeFileSync(join(folder, '.hookserver/secret'), `${secret}\n`, { mode: 0o600 })
    expect(await send(['push'], { env: none })).toMatchObject({ code: 0 })
    const { code, stderr } = await send(['push', '--file', '.hookserver/secret'])
    expect([code, stderr]).toEqual([2, 'hookserver: .hookserver/secret is not JSON\n']) // the message does not quote it
    rmSync(join(folder, '.hookserver'), { recursive: true })
  })

  test('is missing: the error lists the ways to set it', async () => {
    const { code, stderr } = await send(['push'], { env: none })
    expect(code).toBe(2)
    for (const cure of [
      'GITHUB_WEBHOOKS_KEY',
      '--secret',
      '"hookserver serve --dev"',
      '.hookserver/secret',
      '--unsigned',
    ])
      expect(stderr).toContain(cure)
    expect(await send(['push', '--unsigned'], { env: none })).toMatchObject({ code: 0 })
  })

  test('is not printed if it is mistyped', async () => {
    for (const args of [
      [`--secrte=${secret}`],
      ['--secret', 'first', secret],
      [`--secret=${secret}`, '--count', 'x'],
    ]) {
      expect(await send(['push', ...args])).toMatchObject({ code: 2, stdout: '' })
    }
  })
})

test.each([['isues'], ['push', '--count', 'x'], ['push', '--nonsense'], ['push', 'ping'], []])(
  'exits with 2 for invalid arguments, and sends nothing: %j %j',
  async (...args) => {
    const { code, stdout, stderr } = await send(args)
    expect([code, stdout, take().types]).toEqual([2, '', []])
    expect(stderr).toMatch(/^(hookserver|error): /)
  },
)
