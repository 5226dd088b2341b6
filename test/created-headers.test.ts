import { expect, test } from 'vitest'
import { createdHeaders } from '../src/created-headers.ts'

test('leaves out headers that describe the original request, its bytes or its sender', () => {
  const signatures = { 'X-Hub-Signature': 'sha1=0', 'X-Hub-Signature-256': 'sha256=0' }
  const credentials = { Authorization: 'Bearer 0', 'Proxy-Authorization': 'Basic 0', Cookie: 'a=0' }
  const bytes = { 'Content-Type': 'text/plain', 'Content-Length': '7', 'Content-Encoding': 'gzip' }
  const connection = { 'Transfer-Encoding': 'chunked', Connection: 'close', Expect: '100-continue' }
  const kept = { 'User-Agent': 'GitHub-Hookshot/1', 'X-GitHub-Hook-ID': '7', 'X-GitHub-Event': 'star' }
  const original = { ...signatures, ...credentials, ...bytes, ...connection, ...kept }
  expect(createdHeaders(original, 'push', 'g')).toEqual({
    ...{ 'user-agent': 'GitHub-Hookshot/1', 'x-github-hook-id': '7' },
    ...{ 'content-type': 'application/json', 'x-github-event': 'push', 'x-github-delivery': 'g' },
  })
})
