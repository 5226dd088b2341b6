/** Payloads of the maximum size that take as long to parse as possible. */
import { describe, expect, test } from 'vitest'
import { hookserver as onWeb } from '../src/adapters/web.ts'
import { Hooks } from '../src/hooks.ts'

describe('payloads without a checked signature', () => {
  const handle = onWeb(new Hooks({ validateSignature: false, validateIp: false, logger: false }))
  const codeOf = async (type: string, text: string) => {
    const headers = { 'content-type': type, 'x-github-event': 'ping', 'x-github-delivery': 'g' }
    const answer = await handle(new Request('http://localhost/hooks', { method: 'POST', headers, body: text }))
    return answer.ok ? answer.status : ((await answer.json()) as { code: string }).code
  }

  test('are handled in time, even if they consist only of separators or of nested brackets', async () => {
    const most = 20_000_000
    expect(await codeOf('application/x-www-form-urlencoded', '&'.repeat(most))).toBe('invalid_payload')
    expect(await codeOf('application/x-www-form-urlencoded', `payload=${'%7b'.repeat(most / 4)}`)).toBe(
      'invalid_payload',
    )
    expect(await codeOf('application/json', '['.repeat(most))).toBe('invalid_payload')
    expect(await codeOf('application/json', `{"a":${'['.repeat(most / 4)}${']'.repeat(most / 4)}}`)).toBeDefined()
  })
})
