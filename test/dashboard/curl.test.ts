import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { curlCommand } from '../../dashboard/delivery/curl.ts'
import { anyString } from '../any-string.ts'

const detail = {
  ...{ id: 42, guid: '6a0003d8-ea7e-4993-9d79-1ceda2d06cb5', event: 'issues', hookId: '292430182' },
  ...{ form: 'json' as const, headers: { 'content-type': 'application/json' } },
}
const signature = 'sha256=00'

interface Called {
  args: Buffer[]
  stdin: Buffer
}

/** Runs the command in a real bash, with a `curl` that prints its arguments and its input. */
function run(command: string): Called {
  const script = `curl() { printf '%s\\0' "$#" "$@"; cat; }\n${command}`
  const { stdout, stderr, status } = spawnSync('bash', ['--noprofile', '--norc', '-c', script], { input: '' })
  expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: '' })
  let at = 0
  const next = () => stdout.subarray(at, (at = stdout.indexOf(0, at) + 1) - 1)
  const args = Array.from({ length: Number(next()) }, next)
  return { args, stdin: stdout.subarray(at) }
}

/** The bytes that curl would send. */
function sent({ args, stdin }: Called): Buffer {
  const at = args.findIndex((arg) => arg.toString().startsWith('--data'))
  return String(args[at]) === '--data-binary' ? stdin : (args[at + 1] as Buffer)
}

const url = 'http://127.0.0.1:8000/hooks'
const command = (body: Uint8Array) => curlCommand({ detail, signature, url, body })
const bytesOf = (text: string) => new TextEncoder().encode(text)

describe('the body', () => {
  test.each([
    ['plain JSON', '{"a":1}'],
    ['quotes', `{"a":"it's \\"so\\""}`],
    ['shell syntax', '{"a":"$(touch /tmp/x) `id` $HOME !! \\\\ \\n"}'],
    ['an end of the quotes', `'; touch /tmp/hookserver-was-here; echo '`],
    ['newlines', '{\n  "a": 1\n}\n'],
    ['a file that curl would read', '@/etc/passwd'],
    ['nothing', ''],
    ['a dash', '-'],
    ['other alphabets', '{"a":"Grüße, 世界 🎉"}'],
  ])('of %s is unchanged', (_name, text) => {
    expect(sent(run(command(bytesOf(text)))).toString()).toBe(text)
  })

  test('with control characters is encoded as Base64', () => {
    for (const text of ['\u001b[201~; id\n', 'a\0b', 'a\rb', 'abc\u202edef', '\u009b31m', '\ufeff{}']) {
      const { args, stdin } = run(command(bytesOf(text)))
      expect([args.at(-1)?.toString(), stdin.toString()]).toEqual(['@-', text])
      expect(command(bytesOf(text))).toMatch(/^[\x20-\x7e\n]*$/)
    }
  })

  test('arrives byte for byte', () => {
    const bodies = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.string({ unit: fc.constantFrom(...`'"\\$\`!@ \n{}[]a&;|<>*?~#`), maxLength: 60 }).map(bytesOf),
      anyString({ maxLength: 60 }).map(bytesOf),
    )
    const isSame = (body: Uint8Array) => {
      expect(sent(run(command(body)))).toEqual(Buffer.from(body))
    }
    fc.assert(fc.property(bodies, isSame), { numRuns: 60 })
  })

  test('that is large is read from the downloaded file', () => {
    const { args } = run(
      curlCommand({ detail: { ...detail, guid: '../../a b;$(id)' }, signature, url, body: undefined }),
    )
    expect(args.slice(-2).map(String)).toEqual(['--data-binary', '@abid.json'])
  })
})

describe('the headers', () => {
  test('include those that a receiver reads', () => {
    const { args } = run(command(bytesOf('{}')))
    expect(args.map(String).filter((_arg, index) => index % 2 === 0)).toEqual([
      'http://127.0.0.1:8000/hooks',
      'X-GitHub-Event: issues',
      'X-GitHub-Delivery: 6a0003d8-ea7e-4993-9d79-1ceda2d06cb5',
      'X-GitHub-Hook-ID: 292430182',
      'Content-Type: application/json',
      'X-Hub-Signature-256: sha256=00',
      '{}',
    ])
  })

  test('with hostile values are quoted, and keep their bytes', () => {
    const guid = `a'\\"$(id)\u0080\u00ff\u001b`
    const { args } = run(curlCommand({ detail: { ...detail, guid, hookId: '' }, signature, url, body: bytesOf('{}') }))
    expect(args[4]?.toString('latin1')).toBe(`X-GitHub-Delivery: ${guid}`)
    expect(args.some((arg) => arg.includes('Hook-ID'))).toBe(false)
  })
})

test.each([
  ['https://hooks.example/github', 'https://hooks.example/github'],
  [`http://127.0.0.1:1/a'b$(id)`, `http://127.0.0.1:1/a'b$(id)`],
  [undefined, 'http://127.0.0.1:8000/hooks'],
])('with the URL %s of the server, posts to %s', (url, address) => {
  const { args } = run(curlCommand({ detail, signature, url, body: bytesOf('{}') }))
  expect(args[0]?.toString()).toBe(address)
})
