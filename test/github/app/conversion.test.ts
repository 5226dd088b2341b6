import { describe, expect, test } from 'vitest'
import { convertCode } from '../../../src/github/app/conversion.ts'
import { codeFor } from '../../testing/github/browser.ts'
import { startGitHub } from '../bot-scene.ts'

const signal = new AbortController().signal
const code = 'a-code-that-must-stay-secret'

describe('the conversion of a code', () => {
  test('returns the App and its secrets', async () => {
    const github = await startGitHub()
    const app = await convertCode(await codeFor(github), { apiUrl: github.url, signal })
    const [created] = github.apps
    expect(app).toEqual({
      ...{ id: String(created?.id), name: 'Hello Bot', slug: 'hello-bot', owner: 'octocat' },
      ...{ page: `${github.webUrl}/apps/hello-bot`, privateKey: created?.privateKey, clientId: created?.clientId },
      ...{ clientSecret: expect.any(String), webhookSecret: github.webhooks[0]?.secret },
    })
  })

  test.each([
    ['a lost connection', 'cut'],
    ['an error of GitHub', { status: 500 }],
    ['a secondary rate limit', { status: 429, headers: { 'retry-after': '1' } }],
  ] as const)('is repeated after %s', async (_, failure) => {
    const github = await startGitHub()
    github.failAt(/conversions$/, failure)
    const { name } = await convertCode(await codeFor(github), { apiUrl: github.url, signal, retries: [1] })
    expect(name).toBe('Hello Bot')
  })

  test.each([
    ['an unknown code', [], /^http:\/\/127\.0\.0\.1:\d+ does not know this code \(404\)/],
    ['an answer without a key', [{ status: 201, body: { id: 1, name: 'a' } }], 'without the key'],
    ['a text that is not JSON', [{ status: 201, body: 'x' }], 'without the key'],
    ['a refusal', [{ status: 422 }], 'GitHub answered 422'],
    ['a long rate limit', [{ status: 429, headers: { 'retry-after': '3600' } }], 'resets in 60 min'],
    ['lost connections', ['cut', 'cut'], 'Cannot reach'],
  ] as const)('fails for %s', async (_, failures, message) => {
    const github = await startGitHub()
    github.failAt(/conversions$/, ...failures)
    const failed = convertCode(code, { apiUrl: github.url, signal, retries: [1] })
    await expect(failed).rejects.toThrow(message)
    await expect(failed).rejects.not.toThrow(code)
  })

  test.each([
    ['javascript:alert(1)', undefined],
    ['https://github.com/apps/a\u001b[31m\r\n\u009b', 'https://github.com/apps/a%1B[31m%C2%9B'],
  ])('accepts only a web address, without control characters: %j', async (html_url, page) => {
    const github = await startGitHub()
    const app = { id: 1, name: 'a', client_id: 'b', client_secret: 'c', pem: 'd', html_url }
    github.failAt(/conversions$/, { status: 201, body: app })
    const found = convertCode(code, { apiUrl: github.url, signal }).then((one) => one.page)
    if (page) expect(await found).toBe(page)
    else await expect(found).rejects.toThrow('without the key')
  })

  test('fails without a network, and does not show the code', async () => {
    const github = await startGitHub()
    const apiUrl = 'http://127.0.0.1:1'
    await expect(convertCode(code, { apiUrl, signal, retries: [] })).rejects.toThrow(`Cannot reach ${apiUrl}: `)
    await expect(convertCode(code, { apiUrl, signal, retries: [] })).rejects.not.toThrow(code)
    expect(github.requests).toEqual([])
  })

  test('ends when the signal aborts', async () => {
    const github = await startGitHub()
    github.failAt(/conversions$/, 'hang')
    const stop = new AbortController()
    const ended = convertCode(code, { apiUrl: github.url, signal: stop.signal })
    stop.abort(new Error('stopped'))
    await expect(ended).rejects.toThrow('stopped')
  })
})
