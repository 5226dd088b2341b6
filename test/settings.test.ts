import { describe, expect, test, vi } from 'vitest'
import { type Capability, membersOf } from '../src/inbox/capabilities.ts'
import type { BasicStore } from '../src/inbox/inbox.ts'
import type { HooksOptions } from '../src/index.ts'
import { resolveOptions } from '../src/settings.ts'

const secret = 's'

describe('defaults', () => {
  test('match the documentation', () => {
    const { logger, ...settings } = resolveOptions({ secret })
    expect(settings).toEqual({
      secret,
      validateSignature: true,
      signatureAlgorithms: ['sha256', 'sha1'],
      validateIp: true,
      trustProxy: [],
      forwardedHeader: 'x-forwarded-for',
      clientAddress: undefined,
      ranges: undefined,
      apiUrl: 'https://api.github.com',
      token: undefined,
      app: undefined,
      octokit: undefined,
      pacing: true,
      path: '/hooks',
      bodyLimit: 26_214_400,
      bodyMemory: 67_108_864,
      replyTimeout: 9000,
      source: '/hooks',
      parsePayload: undefined,
      inbox: undefined,
      work: true,
      sources: undefined,
      withoutHandlers: 'wait',
      payloadMemory: 268_435_456,
      replays: 'run',
      onDead: undefined,
      onError: undefined,
    })
  })

  test('log warnings and errors to the console, and nothing else', () => {
    const { logger } = resolveOptions({ secret })
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const error = vi.spyOn(console, 'error').mockImplementation(() => {})
    logger.warn({}, 'a warning')
    logger.error({ guid: 'g' }, 'an error')
    expect(warn).toHaveBeenCalledWith('%s', 'hookserver: a warning')
    expect(error).toHaveBeenCalledWith('%s', 'hookserver: an error', { guid: 'g' })
    logger.info({}, 'an information')
    expect(warn).toHaveBeenCalledTimes(1)
    vi.restoreAllMocks()
  })

  test.each([
    ['a container with 256 MiB', 2 ** 28, 2 ** 26],
    ['a container with 8 GiB', 2 ** 33, 2 ** 28],
    ['no limit', 2 ** 64, 2 ** 28],
    ['an unknown limit', 0, 2 ** 28],
  ])('leave payloads at most a quarter of the memory: %s', (_what, limit, expected) => {
    const constrained = vi.spyOn(process, 'constrainedMemory').mockReturnValue(limit)
    expect(resolveOptions({ secret }).payloadMemory).toBe(expected)
    constrained.mockRestore()
  })

  test('use GITHUB_TOKEN for api.github.com only', () => {
    vi.stubEnv('GITHUB_TOKEN', 'ghp_x')
    expect(resolveOptions({ secret }).token).toBe('ghp_x')
    expect(resolveOptions({ secret, apiUrl: 'https://ghes.example.com/api/v3' }).token).toBeUndefined()
    expect(resolveOptions({ secret, apiUrl: 'https://ghes.example.com/api/v3', token: 't' }).token).toBe('t')
    vi.unstubAllEnvs()
  })

  test('work if the environment cannot be read', () => {
    vi.stubGlobal('process', {
      get env(): never {
        throw new Error('Requires env access')
      },
    })
    try {
      expect(resolveOptions({ secret }).token).toBeUndefined()
    } finally {
      vi.unstubAllGlobals()
    }
  })
})

describe('layers', () => {
  test('override earlier layers, except with undefined', () => {
    const settings = resolveOptions({ secret, path: '/a', replyTimeout: '1ms' }, undefined, {
      path: '/b',
      replyTimeout: undefined,
    })
    expect([settings.path, settings.replyTimeout, settings.source]).toEqual(['/b', 1, '/b'])
  })

  test('use the path as the default source', () => {
    expect(resolveOptions({ secret, path: false }).source).toBe('')
    expect(resolveOptions({ secret, path: '/a', source: 'b' }).source).toBe('b')
  })
})

/** An inbox whose methods do nothing. */
function fakeInbox(...capabilities: Capability[]): BasicStore {
  const members = capabilities.flatMap(membersOf).map((name) => [name, () => {}])
  return Object.fromEntries(members)
}

describe('an option of the inbox', () => {
  test('is used as given', () => {
    const inbox = fakeInbox('DeliveryStore', 'TaskQueue')
    const given = { inbox, work: false, withoutHandlers: 'ignore', replays: 'discard', onDead() {} } as const
    expect(resolveOptions({ secret, ...given })).toMatchObject(given)
    expect(resolveOptions({ secret, ...given }).inbox).toBe(inbox)
  })

  test('is rejected with the name of the capability that it lacks', () => {
    const inbox = { ...fakeInbox('DeliveryStore', 'TaskQueue'), claim: undefined, finish: undefined }
    expect(() => resolveOptions({ secret, inbox: inbox as unknown as BasicStore })).toThrow(
      'Option "inbox" needs an inbox with the capability TaskQueue; this inbox lacks claim, finish',
    )
  })
})

describe('an invalid option', () => {
  const wrong: [keyof HooksOptions, unknown[]][] = [
    ['secret', ['', ' ', '\t', new Uint8Array(), [], ['new', ' '], 7, null]],
    ['validateSignature', ['true', 1, null]],
    ['signatureAlgorithms', [[], ['md5'], 'sha256', null]],
    ['validateIp', ['true', 'off', 0, null]],
    ['trustProxy', [-1, 1.5, 1001, Number.NaN, true, [1], 'proxy', ['10.0.0.0/33'], null]],
    ['forwardedHeader', ['X-Forwarded-For', 'x-real-ip', null]],
    ['clientAddress', ['nginx', '', {}, null]],
    ['ranges', ['127.0.0.1', [1], ['github.com'], null]],
    ['apiUrl', ['http://api.github.com', 'api.github.com', '', null, 'http://localhost.evil.example']],
    ['token', ['', 'two words', 1, null]],
    ['app', ['', 3, {}, { id: 3 }, null]],
    ['path', ['hooks', '', '/a b', '/a?b', '/a#b', true, null]],
    ['bodyLimit', [0, -1, 1.5, Number.POSITIVE_INFINITY, '25mb', '25', 25, '600 MiB', 2 ** 30, null]],
    ['bodyMemory', [0, '1', '0 B', 64, null]],
    ['replyTimeout', [0, -1, 2 ** 31, Number.POSITIVE_INFINITY, '9', '9 s', '30d', 9, null]],
    ['source', [1, null]],
    ['parsePayload', ['JSON', {}, null]],
    ['inbox', ['hookserver.db', true, {}, fakeInbox('DeliveryStore'), null]],
    ['work', ['false', 0, null]],
    ['sources', ['/hooks', [], [1], null]],
    ['withoutHandlers', ['yes', true, null]],
    ['replays', ['ignore', true, null]],
    ['onDead', ['log', null]],
    ['onError', ['log', null]],
    ['logger', [true, {}, console.log, null]],
  ]
  test.each(wrong)('%s: a TypeError names the option', (name, values) => {
    for (const value of values) {
      expect(() => resolveOptions({ secret, [name]: value })).toThrow(TypeError)
      expect(() => resolveOptions({ secret, [name]: value })).toThrow(`"${name}"`)
    }
  })

  test.each(['10.0.0.300', '', 'localhost', '10.0.0.0/33', 'Loopback', 'unix:/run/a', 'constructor', '__proto__'])(
    'is shown with the entry that is not a CIDR: %j',
    (wrong) => {
      const fault = (option: string) =>
        new TypeError(`Option "${option}" must be a list of CIDRs, got ${JSON.stringify(wrong)}`)
      expect(() => resolveOptions({ secret, trustProxy: ['private', wrong] })).toThrow(fault('trustProxy'))
      expect(() => resolveOptions({ secret, trustProxy: wrong })).toThrow(fault('trustProxy'))
      expect(() => resolveOptions({ secret, ranges: ['192.0.2.0/24', wrong] })).toThrow(fault('ranges'))
    },
  )

  test('is shown with its value', () => {
    expect(() => resolveOptions({ secret, replyTimeout: -5 })).toThrow('got -5')
    expect(() => resolveOptions({ secret, path: 'hooks' })).toThrow('got "hooks"')
  })

  test('may be an unknown name: a typing error must not disable a check', () => {
    expect(() => resolveOptions({ secret, validateIP: false } as HooksOptions)).toThrow(
      'Unknown option "validateIP". Did you mean "validateIp"?',
    )
    expect(() => resolveOptions({ secret, timeout: '5m' } as never)).toThrow(
      'Unknown option "timeout". It is an option of a handler: write hooks.on(\'push\', { timeout: … }, handler)',
    )
    expect(() => resolveOptions({ secret, constructor: 1 } as never)).toThrow('Unknown option "constructor"')
  })

  test('is detected at construction and at mounting, CIDRs included', async () => {
    const { Hooks } = await import('../src/index.ts')
    expect(() => new Hooks({ secret, ranges: ['not a range'] })).toThrow(/"ranges".*"not a range"/)
    expect(() => new Hooks({ secret, trustProxy: ['10.0.0.0/33'] })).toThrow(/"trustProxy".*"10.0.0.0\/33"/)
    expect(() => new Hooks({ secret }).mount({ trustProxy: 'everyone' })).toThrow(/"trustProxy".*"everyone"/)
  })
})
