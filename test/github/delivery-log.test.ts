/** Reads logs that GitHub would not send, from a server that does. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Octokit } from 'octokit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { DeliveryLog, type LoggedAttempt, type LogReading } from '../../src/github/delivery-log.ts'
import { toRequester } from '../../src/github/octokit-requester.ts'
import { withoutPlugins } from '../../src/github/octokit-scope.ts'
import type { Requester } from '../../src/github/requester.ts'

const second = 1000
const now = Date.UTC(2026, 10, 29, 12)
const path = '/repos/acme/shop/hooks/1/deliveries'

type Handler = (url: URL, response: ServerResponse, request: IncomingMessage) => void

async function serve(handler: Handler): Promise<string> {
  const server = createServer((request, response) => {
    response.setHeader('date', new Date(now).toUTCString())
    response.setHeader('content-type', 'application/json')
    handler(new URL(request.url ?? '', 'http://api'), response, request)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function logAt(baseUrl: string): DeliveryLog {
  const octokit = new Octokit({ baseUrl, auth: 'the token', ...withoutPlugins })
  return new DeliveryLog(toRequester(octokit), path)
}

let lastId = 3_840_000_000_000_000_000n

/** An entry of the log, as JSON. @param members JSON texts that replace those of a valid entry. */
function entry(age: number, members: Record<string, string> = {}): string {
  const id = String(++lastId)
  const valid = {
    ...{ id, guid: `"g-${id}"`, delivered_at: JSON.stringify(new Date(now - age).toISOString()), event: '"push"' },
    ...{ redelivery: 'false', duration: '0.1', status: '"OK"', status_code: '200', action: 'null' },
  }
  const pairs = Object.entries({ ...valid, ...members }).map(([name, json]) => `"${name}":${json}`)
  return `{${pairs.join(',')}}`
}

/** Answers with pages of entries. @param next The cursor that follows each page; `undefined` ends the log. */
const pages =
  (
    all: readonly (readonly string[])[],
    next = (page: number) => (page + 1 < all.length ? `${page + 1}` : undefined),
  ): Handler =>
  (url, response) => {
    const page = Number(url.searchParams.get('cursor') ?? 0)
    const cursor = next(page)
    if (cursor !== undefined) response.setHeader('link', `<https://elsewhere.example/?cursor=${cursor}>; rel="next"`)
    response.end(`[${(all[page % all.length] ?? []).join(',')}]`)
  }

async function readAll(log: DeliveryLog, from = 0): Promise<{ attempts: LoggedAttempt[]; reading: LogReading }> {
  const reading = (await log.open()) as LogReading
  const attempts: LoggedAttempt[] = []
  for await (const page of reading.since(from)) attempts.push(...page)
  return { attempts, reading }
}

describe('paging', () => {
  test('follows the cursor, and never the address of a link', async () => {
    const log = logAt(await serve(pages([[entry(1), entry(2)], [entry(3)]])))
    const { attempts, reading } = await readAll(log)
    expect(attempts).toHaveLength(3)
    expect(reading.problem).toBeUndefined()
  })

  test('ends at a repeated cursor', async () => {
    const log = logAt(await serve(pages([[entry(1)], [entry(2)]], (page) => String((page + 1) % 2 || 1))))
    const { attempts, reading } = await readAll(log)
    expect(attempts).toHaveLength(2)
    expect(reading.problem).toContain('repeats a page')
  })

  test('ends at an empty page that has a next page', async () => {
    const log = logAt(await serve(pages([[entry(1)], [], [entry(3)]])))
    const { attempts, reading } = await readAll(log)
    expect(attempts).toHaveLength(1)
    expect(reading.problem).toContain('a page without attempts')
  })

  test('ends at a page of attempts without times', async () => {
    const withoutTimes = [entry(1, { delivered_at: 'null' }), entry(2, { delivered_at: '"soon"' })]
    const log = logAt(await serve(pages([withoutTimes, [entry(3)]])))
    const { attempts, reading } = await readAll(log)
    expect([attempts.length, reading.isBroken]).toEqual([2, true])
  })

  test('ends after 250,000 attempts', async () => {
    let requests = 0
    const github: Requester = {
      request: async () => ({
        ...{ text: `[${entry(1)}]`, headers: { link: `<https://api/?cursor=${++requests}>; rel="next"` } },
      }),
    }
    const { reading } = await readAll(new DeliveryLog(github, path))
    expect(requests).toBe(2500)
    expect(reading.problem).toContain('more than 250000 attempts')
  })

  test('ends at the time from which it reads', async () => {
    const old = [entry(9 * second), entry(10 * second), entry(11 * second)]
    const log = logAt(await serve(pages([[entry(1), ...old], [entry(12 * second)]], () => '1')))
    const { attempts, reading } = await readAll(log, now - 5 * second)
    expect([attempts.length, reading.problem]).toEqual([1, undefined])
  })
})

describe('the times of attempts', () => {
  test("are compared with GitHub's time, and one in the future counts as now", async () => {
    const log = logAt(await serve(pages([[entry(-1e9), entry(second)]])))
    const { attempts, reading } = await readAll(log)
    expect(Math.abs(reading.now - now)).toBeLessThan(second)
    expect(attempts.map(({ deliveredAt }) => deliveredAt)).toEqual([reading.now, now - second])
  })

  test.each([
    ['no time', 'null', now - second],
    ['no valid time', '"yesterday"', now - second],
    ['a time long ago', '"1970-01-01T00:00:00Z"', now - 60 * second],
  ])('in the order of the log: one with %s hides no older attempt', async (_what, time, expected) => {
    const first = [entry(second), entry(2 * second, { delivered_at: time })]
    const log = logAt(await serve(pages([first, [entry(3 * second)]])))
    const { attempts } = await readAll(log, now - 60 * second)
    expect(attempts.map(({ deliveredAt }) => deliveredAt)).toEqual([now - second, expected, now - 3 * second])
  })
})

describe('an entry', () => {
  test('keeps every digit of its id', async () => {
    const log = logAt(await serve(pages([[entry(1, { id: '3804004623172239366' })]])))
    expect((await readAll(log)).attempts).toMatchObject([{ id: '3804004623172239366' }])
  })

  test.each(['null', '7', '"text"', '[]', '{}', '{"id":null}', '{"id":-1}', '{"id":1.5}', '{"id":"x"}'])(
    'without an id is described, and does not hide others: %s',
    async (item) => {
      const { attempts, reading } = await readAll(logAt(await serve(pages([[entry(1), item, entry(2)]]))))
      expect(attempts).toHaveLength(2)
      expect(reading.unreadable).toHaveLength(1)
    },
  )

  test('without an id is described without its values, which may hold an address', async () => {
    const item = '{"status":"POST https://hooks.example/hidden","guid":"g"}'
    const { reading } = await readAll(logAt(await serve(pages([[item, '"https://hooks.example/hidden"']]))))
    expect(reading.unreadable).toEqual(['{ status, guid }', 'string'])
  })

  test('with members of other types is listed with the others', async () => {
    const broken = { guid: '"../x"', event: '7', status: '{}', status_code: '"200"', redelivery: 'null', action: '[1]' }
    const { attempts } = await readAll(logAt(await serve(pages([[entry(1, { id: '77', ...broken })]]))))
    expect(attempts).toMatchObject([
      { id: '77', guid: 'unknown-77', event: 'unknown', action: undefined, ok: false, redelivery: false },
    ])
  })
})

describe('an answer', () => {
  test.each([
    ['is no list', '{"message":"hello"}', 'is not a list'],
    ['is not JSON', '<html>', 'is not JSON'],
    ['is empty', '', 'is not JSON'],
  ])('that %s is an error', async (_what, body, message) => {
    const log = logAt(await serve((_url, response) => void response.end(body)))
    await expect(readAll(log)).rejects.toThrow(message)
  })

  test.each([200, 500])('with status %i is read up to 4 MiB: 6 GB of white space take no memory', async (status) => {
    const chunk = ' '.repeat(2 ** 20)
    let sent = 0
    const address = await serve((_url, response) => {
      response.statusCode = status
      const send = () => {
        while (!response.destroyed && sent < 6000) {
          sent++
          if (!response.write(chunk)) return void response.once('drain', send)
        }
      }
      send()
    })
    await expect(readAll(logAt(address))).rejects.toThrow('The answer is larger than 4 MiB')
    expect(sent).toBeLessThan(100)
  })

  test('of another server, to which the API redirects, is not read', async () => {
    let asked = 0
    const other = await serve((_url, response) => {
      asked++
      response.end('[]')
    })
    const address = await serve((_url, response) => void response.writeHead(302, { location: other + path }).end())
    await expect(readAll(logAt(address))).rejects.toThrow(`GitHub's API redirects to another server (${other})`)
    expect(asked).toBe(0)
  })

  test('that redirects again and again is an error', async () => {
    const address = await serve((url, response) => void response.writeHead(301, { location: url.pathname }).end())
    await expect(readAll(logAt(address))).rejects.toThrow('redirects again and again')
  })

  test('after a redirect within the server is read, with the token', async () => {
    const address = await serve((url, response, request) => {
      if (url.pathname === path) response.writeHead(301, { location: '/repositories/1/hooks/1/deliveries' }).end()
      else response.end(request.headers.authorization === 'token the token' ? `[${entry(1)}]` : '[]')
    })
    expect((await readAll(logAt(address))).attempts).toHaveLength(1)
  })

  test('names the version of the API that the request asked for', async () => {
    const versions: unknown[] = []
    const address = await serve((_url, response, { headers }) => {
      versions.push(headers['x-github-api-version'])
      response.end('[]')
    })
    await readAll(logAt(address))
    expect(versions).toEqual(['2022-11-28'])
  })
})

describe('the request of a delivery', () => {
  const read = async (body: string) => logAt(await serve((_url, response) => void response.end(body))).readExchange('1')

  test('has the payload with every digit', async () => {
    const payload = '{"client_payload":{"a":9007199254740993,"b":1.0,"c":1e400,"d":"\\u00e9"}}'
    const exchange = await read(`{"id":1,"request":{"headers":{"X":"y","n":7},"payload":${payload}},"response":null}`)
    expect(exchange).toEqual({
      request: { headers: { X: 'y' }, payload },
      response: { headers: {}, payload: '' },
    })
  })

  test.each([
    ['null', 'without the delivery'],
    ['[]', 'without the delivery'],
    ['{}', 'without a payload'],
    ['{"request":null}', 'without a payload'],
    ['{"request":{"headers":{}}}', 'without a payload'],
    ['{"request":{"headers":{},"payload":null}}', 'without a payload'],
    ['{"request":{"headers":{},"payload":[]}}', 'without a payload'],
    ['{"request":{"headers":{},"payload":"{}"}}', 'without a payload'],
    ['{"request":{"headers":{},"payload":{}', 'is not JSON'],
    ['{"request":{"headers":{},"payload":{},,}}', 'is not JSON'],
  ])('is missing in %s', async (body, message) => {
    await expect(read(body)).rejects.toThrow(message)
  })
})
