import assert from 'node:assert/strict'
import { signedRequest } from '../../samples/signed-request.ts'
import { assertAnswered, type ContractCase } from './case.ts'
import { type ContractHost, deliver, sendRaw } from './client.ts'
import { contractSecret } from './mounts.ts'

/** Not a sample, because an import of `hookserver/testing` would then read all samples. */
const payload = { zen: 'Design for failure. '.repeat(100), hook_id: 7 }
const { headers: signed, body } = signedRequest('ping', { secret: contractSecret, payload })
const length = { 'content-length': String(Buffer.byteLength(body)) }
const chunked = { 'transfer-encoding': 'chunked' }
const wrong = `sha256=${'0'.repeat(64)}`
const path = '/contract/plain'

interface Parts {
  /** The request line. */
  line?: string
  /** Without a line for a header whose value is `undefined`. A list makes a line for each value. */
  headers?: Record<string, string | readonly string[] | undefined>
  body?: string
}

/** A request, byte for byte. Its default is a signed delivery without the headers that describe the body. */
function rawRequest({ line = `POST ${path} HTTP/1.1`, headers = {}, body: text = body }: Parts): string {
  const all = Object.entries({ Host: 'localhost', ...signed, ...headers })
  const lines = all.flatMap(([name, values]) => [values ?? []].flat().map((value) => `${name}: ${value}\r\n`))
  return `${line}\r\n${lines.join('')}\r\n${text}`
}

/** The body in chunks of `size` characters. `extension` follows the size of each chunk. */
function inChunks(size: number, { extension = '', trailers = '' } = {}): string {
  const parts = Array.from({ length: Math.ceil(body.length / size) }, (_, i) => body.slice(i * size, (i + 1) * size))
  const chunks = parts.map((part) => `${Buffer.byteLength(part).toString(16)}${extension}\r\n${part}\r\n`)
  return `${chunks.join('')}0\r\n${trailers}\r\n`
}

const upperCase = Object.fromEntries(Object.entries(signed).map(([name, value]) => [name.toUpperCase(), value]))
const without = Object.fromEntries(Object.keys(signed).map((name) => [name, undefined]))
const padded = Object.fromEntries(Object.entries(signed).map(([name, value]) => [name, ` \t${value}\t `]))

/** Spellings of one delivery. HTTP allows each of them (RFC 9110, RFC 9112). */
const valid: Record<string, string> = {
  'header names in upper case': rawRequest({
    headers: { ...without, ...upperCase, 'CONTENT-LENGTH': length['content-length'] },
  }),
  'white space around values': rawRequest({ headers: { ...padded, ...length } }),
  'a request target in absolute form': rawRequest({ line: `POST http://localhost${path} HTTP/1.1`, headers: length }),
  'a query': rawRequest({ line: `POST ${path}?${'a=%00&'.repeat(500)} HTTP/1.1`, headers: length }),
  'leading zeros in Content-Length': rawRequest({ headers: { 'content-length': `000${length['content-length']}` } }),
  'an unknown header': rawRequest({ headers: { ...length, 'x-anything': '\x80\xff;,"' } }),
  'Connection: close': rawRequest({ headers: { ...length, connection: 'close' } }),
  'HTTP/1.0': rawRequest({ line: `POST ${path} HTTP/1.0`, headers: length }),
  'one chunk': rawRequest({ headers: chunked, body: inChunks(body.length) }),
  'chunks of seven characters': rawRequest({ headers: chunked, body: inChunks(7) }),
  'chunks with extensions': rawRequest({ headers: chunked, body: inChunks(500, { extension: ';a=b;c="d"' }) }),
  trailers: rawRequest({ headers: chunked, body: inChunks(500, { trailers: `X-Hub-Signature-256: ${wrong}\r\n` }) }),
}

/** Requests that HTTP does not allow, that are ambiguous, or whose headers say two things. */
const invalid: Record<string, string> = {
  'bytes of TLS': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
  'a line of HTTP/0.9': `POST ${path}\r\n\r\n`,
  'an unknown version': rawRequest({ line: `POST ${path} HTTP/9.9`, headers: length }),
  'a method in lower case': rawRequest({ line: `post ${path} HTTP/1.1`, headers: length }),
  'an unknown method': rawRequest({ line: `BREW ${path} HTTP/1.1`, headers: length }),
  'a target in authority form': rawRequest({ line: 'POST localhost:80 HTTP/1.1', headers: length }),
  'a target with a space': rawRequest({ line: `POST ${path} x HTTP/1.1`, headers: length }),
  'two values of Content-Length': rawRequest({ headers: { 'content-length': [length['content-length'], '1'] } }),
  'a negative Content-Length': rawRequest({ headers: { 'content-length': '-1' } }),
  'a Content-Length with a sign': rawRequest({ headers: { 'content-length': `+${length['content-length']}` } }),
  'a Content-Length beyond 2^64': rawRequest({ headers: { 'content-length': '9'.repeat(30) } }),
  'a Content-Length in hexadecimal': rawRequest({ headers: { 'content-length': '0x10' } }),
  'Content-Length next to Transfer-Encoding': rawRequest({ headers: { ...length, ...chunked }, body: inChunks(500) }),
  'an unknown Transfer-Encoding': rawRequest({ headers: { 'transfer-encoding': 'cow' } }),
  'Transfer-Encoding that does not end with chunked': rawRequest({ headers: { 'transfer-encoding': 'chunked, gzip' } }),
  'a chunk size that is no number': rawRequest({ headers: chunked, body: `zz\r\n${body}\r\n0\r\n\r\n` }),
  'a negative chunk size': rawRequest({ headers: chunked, body: `-1\r\n${body}\r\n0\r\n\r\n` }),
  'a chunk that is longer than its size': rawRequest({ headers: chunked, body: `1\r\n${body}\r\n0\r\n\r\n` }),
  'a header name with a space': rawRequest({ headers: { ...length, 'x-a b': '1' } }),
  'a NUL in a header': rawRequest({ headers: { ...length, 'x-a': 'a\0b' } }),
  'a header without a colon': rawRequest({ headers: length }).replace('\r\n\r\n', '\r\nx-a\r\n\r\n'),
  'headers of 200 kB': rawRequest({ headers: { ...length, 'x-a': 'x'.repeat(200_000) } }),
  'neither body nor length': rawRequest({ body: '' }),
  'two signatures, the second wrong': rawRequest({
    headers: { ...length, 'x-hub-signature-256': [signed['x-hub-signature-256'] as string, wrong] },
  }),
  'two signatures, the first wrong': rawRequest({
    headers: { ...length, 'x-hub-signature-256': [wrong, signed['x-hub-signature-256'] as string] },
  }),
  'the same signature twice': rawRequest({
    headers: { ...length, 'x-hub-signature-256': Array(2).fill(signed['x-hub-signature-256']) },
  }),
  'two content types': rawRequest({ headers: { ...length, 'content-type': ['text/plain', 'application/json'] } }),
  'a content coding': rawRequest({ headers: { ...length, 'content-encoding': 'gzip' } }),
}

export const rawCases: ContractCase[] = [
  ...Object.entries(valid).map(([name, text]) => ({
    id: `raw: ${name}`,
    name: `accepts a delivery with ${name}`,
    about: 'raw HTTP' as const,
    async run(host: ContractHost) {
      assert.equal(await statusOf(host, text), 200)
    },
  })),
  ...Object.entries(invalid).map(([name, text]) => ({
    id: `raw: ${name}`,
    name: `rejects a request with ${name}, and goes on serving`,
    about: 'raw HTTP' as const,
    async run(host: ContractHost) {
      const status = await statusOf(host, text)
      assert.ok(status === undefined || status >= 400, `expected a rejection, got ${status}`)
      assertAnswered(await deliver(host, 'plain', 'ping'), 200, 'pong')
    },
  })),
  {
    id: 'raw: pipelining',
    name: 'answers requests in their order on one connection',
    about: 'raw HTTP',
    async run(host) {
      const refused = rawRequest({ headers: { ...length, 'x-hub-signature-256': wrong } })
      const last = rawRequest({ headers: { ...length, connection: 'close' } })
      const answer = await sendRaw(host, rawRequest({ headers: length }) + refused + last, { untilClosed: true })
      const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
      assert.deepEqual(statuses, [200, 400, 200])
    },
  },
]

/** @returns `undefined` if the server closed the connection without an answer. */
async function statusOf(host: ContractHost, text: string): Promise<number | undefined> {
  const [, status] = /^HTTP\/1\.[01] (\d{3})/.exec(await sendRaw(host, text)) ?? []
  return status === undefined ? undefined : Number(status)
}
