import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Hooks } from '../../../src/hooks.ts'
import {
  type Config,
  ConfigError,
  type ConfigSources,
  flagOf,
  resolveConfig,
  variablesOf,
} from '../../../src/server/config/resolve-config.ts'
import { type SettingName, settings } from '../../../src/server/config/settings.ts'
import { openInbox } from '../../inbox/stores.ts'
import { project } from '../service.ts'

const resolve = (sources: Partial<ConfigSources> = {}): Config => resolveConfig({ flags: {}, env: {}, ...sources })

function problemsOf(sources: Partial<ConfigSources>): readonly string[] {
  try {
    resolve(sources)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  throw new Error('Nothing was wrong')
}

/** For each setting: a text, the value that it stands for (not the default), and an invalid text. */
const examples: { [Name in SettingName]: [text: string, value: Config[Name]['value'], wrong: string] } = {
  port: ['9000', 9000, '65536'],
  host: ['10.1.2.3', '10.1.2.3', ' '],
  path: ['/github', '/github', 'github'],
  role: ['worker', 'worker', 'both'],
  database: ['data/inbox.db', 'data/inbox.db', ' '],
  databaseUrlFile: ['/run/address', '/run/address', ' '],
  databaseSchema: ['webhooks_2', 'webhooks_2', 'Web-hooks'],
  databaseConnections: ['25', 25, '2'],
  databaseMigrate: ['false', false, 'never'],
  retention: ['12h', 12 * 3600 * 1000, '12'],
  auditRetention: ['90d', 90 * 24 * 3600 * 1000, '90'],
  auditEntries: ['5000', 5000, '0'],
  maxSize: ['20GiB', 20 * 2 ** 30, '20G'],
  adminPort: ['0', 0, '-1'],
  adminHost: ['::1', '::1', ' '],
  adminUrl: ['https://hooks.example.org/', 'https://hooks.example.org', 'hooks.example.org'],
  adminToken: ['0123456789abcdef', '0123456789abcdef', 'too short'],
  adminTokenFile: ['/run/token', '/run/token', ' '],
  readOnlyToken: ['fedcba9876543210', 'fedcba9876543210', 'too short'],
  readOnlyTokenFile: ['/run/reader', '/run/reader', ' '],
  adminGithubOperators: ['acme/ops, octo', [{ organization: 'acme', team: 'ops' }, { organization: 'octo' }], 'a/b/c'],
  adminGithubViewers: ['acme', [{ organization: 'acme' }], 'acme shop'],
  secretFile: ['/run/secret', '/run/secret', ' '],
  logFormat: ['pretty', 'pretty', 'xml'],
  validateIp: ['warn', 'warn', 'yes'],
  ranges: ['10.20.30.40, 2001:db8::/32', ['10.20.30.40', '2001:db8::/32'], '10.20.30'],
  validateSignature: ['0', false, 'no'],
  trustProxy: ['loopback, 10.0.0.0/8', ['loopback', '10.0.0.0/8'], '1.2.3'],
  github: ['https://ACME.ghe.com/', 'https://acme.ghe.com', 'https://api.github.com'],
  apiUrl: ['https://ghes.example.org/api/v3', 'https://ghes.example.org/api/v3', 'http://example.org'],
  grace: ['1500ms', 1500, '25d'],
  logLevel: ['debug', 'debug', 'loud'],
  quiet: ['true', true, 'maybe'],
  dev: ['true', true, 'TRUE'],
  insecure: ['1', true, '2'],
  githubToken: ['ghp_something', 'ghp_something', 'two words'],
  recover: ['acme/shop, acme#7', [{ repository: 'acme/shop' }, { organization: 'acme', id: '7' }], 'acme/shop/more'],
  publicUrl: ['https://hooks.example.org/hooks/', 'https://hooks.example.org/hooks/', '/hooks'],
  recoverEvery: ['1m', 60_000, '60'],
  recoverLookback: ['2d', 2 * 24 * 3600 * 1000, 'yesterday'],
  recoverMode: ['pull', 'pull', 'push'],
  recoverEvents: ['push,issues.opened', ['push', 'issues.opened'], 'push opened'],
  recoverIncludeOk: ['true', true, 'yes'],
  recoverPace: ['100ms', 100, '0.1s'],
  pull: ['app,acme/shop#7', ['app', { repository: 'acme/shop', id: '7' }], 'acme shop'],
  pullEvery: ['1s', 1000, 'often'],
}

/** Settings whose values are secrets, or may contain one. */
const hidden = ['adminToken', 'readOnlyToken', 'githubToken', 'database', 'databaseUrlFile']

describe.each(Object.entries(examples))('the setting %s', (key, [text, value, wrong]) => {
  const name = key as SettingName
  const [variable = '', ...others] = variablesOf(name)

  test('has its default and no source if it is not set', () => {
    expect(resolve()[name]).toEqual({ value: settings[name].default, source: undefined })
    expect(resolve()[name].value).not.toEqual(value)
  })

  test('is set by its flag, else by its variable', () => {
    const [flag, env] = [{ flags: { [name]: text } }, { env: { [variable]: text } }]
    expect(resolve({ env: { [variable]: 'overridden' }, ...flag })[name]).toEqual({ value, source: flagOf(name) })
    expect(resolve(env)[name]).toEqual({ value, source: `the environment variable ${variable}` })
  })

  test('ignores an empty variable, and uses the first variable that is set', () => {
    expect(resolve({ env: { [variable]: '' } })[name].source).toBeUndefined()
    for (const other of others) {
      expect(resolve({ env: { [other]: text } })[name].source).toBe(`the environment variable ${other}`)
      expect(resolve({ env: { [other]: 'overridden', [variable]: text } })[name].value).toEqual(value)
    }
  })

  test('reports the expected value, the source, and the value unless it is hidden', () => {
    const [problem] = problemsOf({ flags: { [name]: wrong } })
    expect(problem).toMatch(new RegExp(`^${flagOf(name)}: expected `))
    if (hidden.includes(name)) expect(problem).not.toContain('got ')
    else expect(problem).toContain(`got ${JSON.stringify(wrong)}`)
  })
})

test('reports a URL without its user, password and query', () => {
  const [problem] = problemsOf({ flags: { publicUrl: 'https://user:secret@hooks.example/hooks?key=secret' } })
  expect(problem).toMatch(/^--public-url: expected .*, got "https:\/\/…@hooks\.example\/hooks\?…"$/)
})

const moduleExamples = Object.entries(examples).filter(([name]) => !['dev', 'secretFile', 'logFormat'].includes(name))

test.each(moduleExamples)(
  'the setting %s is set by the module if its flag and its variable are not set',
  (key, example) => {
    const [text, value] = example
    const name = key as SettingName
    const [variable = ''] = variablesOf(name)
    const flag = { flags: { [name]: text } }
    const env = { env: { [variable]: text } }
    const module = { module: { name: 'hooks.ts', config: { [name]: text } } }
    const broken = { env: { [variable]: 'overridden' }, module: { name: 'hooks.ts', config: { [name]: 'overridden' } } }
    expect(resolve({ ...broken, ...flag })[name]).toEqual({ value, source: flagOf(name) })
    expect(resolve({ ...broken, ...env })[name]).toEqual({ value, source: `the environment variable ${variable}` })
    expect(resolve(module)[name]).toEqual({ value, source: `config.${name} of hooks.ts` })
  },
)

describe('a variable that other programs use too', () => {
  const module = { name: 'hooks.ts', config: { port: 9000, database: 'hooks.db' } }

  test('applies if neither a flag, an own variable nor the module sets the setting', () => {
    const env = { PORT: '9001', DATABASE_URL: 'postgres://db.example/hooks' }
    expect(resolve({ env }).port).toMatchObject({ value: 9001, source: 'the environment variable PORT' })
    expect(resolve({ env, module }).port).toEqual({ value: 9000, source: 'config.port of hooks.ts' })
    expect(resolve({ env, module }).database).toEqual({ value: 'hooks.db', source: 'config.database of hooks.ts' })
  })

  test('is not checked if the module makes it unnecessary, or may do so', () => {
    const env = { PORT: 'auto', DATABASE_URL: 'mysql://db.example/shop' }
    const hooks = new Hooks({ inbox: openInbox() })
    expect(resolve({ env, module: 'pending' })).toEqual(resolve())
    expect(resolve({ env, module })).toEqual(resolve({ module }))
    const own = resolve({ env, module: { name: 'hooks.ts', config: { port: 9000 }, hooks } }).database
    expect(own).toEqual({ value: 'hookserver.db', source: 'the environment variable DATABASE_URL', isGeneric: true })
    expect(problemsOf({ env, module: { ...module, config: {} } })).toHaveLength(2)
    expect(problemsOf({ env: { HOOKSERVER_DATABASE: 'mysql://db.example/shop' }, module: 'pending' })).toHaveLength(1)
  })

  test('does not turn off checks', () => {
    const { validateIp, validateSignature } = resolve({ env: { VALIDATE_IP: 'false', VALIDATE_SIGNATURE: 'false' } })
    expect([validateIp.value, validateSignature.value]).toEqual([undefined, undefined])
  })
})

test('ignores the address of a service in the variable of a port, but not another wrong value', () => {
  const env = { HOOKSERVER_PORT: 'tcp://10.0.0.1:80', HOOKSERVER_ADMIN_PORT: 'udp://[fd00::1]:8001' }
  expect(resolve({ env })).toEqual(resolve())
  expect(resolve({ env: { ...env, PORT: '9001' } }).port.value).toBe(9001)
  expect(problemsOf({ env: { HOOKSERVER_PORT: 'http://10.0.0.1:80' } })).toHaveLength(1)
  expect(problemsOf({ flags: { port: 'tcp://10.0.0.1:80' } })).toHaveLength(1)
})

describe('a setting that can be given directly or in a file', () => {
  const [address, file] = ['postgres://db.example/hooks', '/run/address']
  const none = { value: undefined, source: undefined }

  test('takes the file of a flag before a variable, and a flag before the file of a variable', () => {
    const byFile = resolve({ flags: { databaseUrlFile: file }, env: { HOOKSERVER_DATABASE: address } })
    expect([byFile.databaseUrlFile.value, byFile.database]).toEqual([
      file,
      { value: settings.database.default, source: undefined },
    ])
    const asItIs = resolve({ flags: { database: address }, env: { HOOKSERVER_DATABASE_URL_FILE: file } })
    expect([asItIs.database.value, asItIs.databaseUrlFile]).toEqual([address, none])
    const token = { flags: { adminTokenFile: file }, env: { HOOKSERVER_ADMIN_TOKEN: 'a-token-of-a-variable' } }
    expect([resolve(token).adminTokenFile.value, resolve(token).adminToken]).toEqual([file, none])
  })

  test('takes its own variable before one that other programs use', () => {
    const { database, databaseUrlFile } = resolve({
      env: { DATABASE_URL: address, HOOKSERVER_DATABASE_URL_FILE: file },
    })
    expect([database.source, databaseUrlFile.value]).toEqual([undefined, file])
  })

  test('is rejected if both are given', () => {
    expect(problemsOf({ env: { HOOKSERVER_DATABASE: 'a.db', HOOKSERVER_DATABASE_URL_FILE: file } })).toEqual([
      'the environment variable HOOKSERVER_DATABASE and the environment variable HOOKSERVER_DATABASE_URL_FILE cannot be used together: leave one of them out',
    ])
  })
})

describe('a module’s config', () => {
  test('may contain JavaScript values', () => {
    const config = { port: 9000, quiet: true, trustProxy: ['loopback', 'private'], validateIp: false }
    const resolved = resolve({ module: { name: 'hooks.ts', config } })
    expect(resolved.port.value).toBe(9000)
    expect(resolved.quiet.value).toBe(true)
    expect(resolved.trustProxy.value).toEqual(['loopback', 'private'])
    expect(resolved.validateIp.value).toBe(false)
    expect(resolve({ module: { name: 'hooks.ts', config: { trustProxy: 2 } } }).trustProxy.value).toBe(2)
  })

  test('may contain the recovery settings in an object', () => {
    const targets = ['app', 'acme', { repository: 'acme/shop', id: '7' }, { organization: 'acme' }]
    const recover = { targets, every: '1m', mode: 'pull', includeOk: true, events: ['push', 'issues'] }
    const resolved = resolve({ module: { name: 'hooks.ts', config: { recover } } })
    const acme = { organization: 'acme' }
    expect(resolved.recover.value).toEqual(['app', acme, { repository: 'acme/shop', id: '7' }, acme])
    expect(resolved.recoverEvery).toEqual({ value: 60_000, source: 'config.recoverEvery of hooks.ts' })
    expect([resolved.recoverMode.value, resolved.recoverIncludeOk.value]).toEqual(['pull', true])
    expect(resolved.recoverEvents.value).toEqual(['push', 'issues'])
    const wrong = { recover: { targets: [{ repo: 'acme/shop' }], evry: '5m' } }
    expect(problemsOf({ module: { name: 'hooks.ts', config: wrong } }).map((one) => one.split(':', 1)[0])).toEqual([
      'config.recoverEvry of hooks.ts',
      'config.recover of hooks.ts',
    ])
  })

  test('is rejected if it is no object, or has an unknown setting', () => {
    expect(problemsOf({ module: { name: 'hooks.ts', config: 8000 } })).toEqual([
      'config of hooks.ts: expected an object with settings',
    ])
    const [problem] = problemsOf({ module: { name: 'hooks.ts', config: { prot: 8000 } } })
    expect(problem).toMatch(/^config\.prot of hooks\.ts: unknown setting\. Did you mean "port"\?$/)
    expect(problem).not.toContain('secretFile')
    expect(problemsOf({ module: { name: 'hooks.ts', config: { permission: {} } } })).toEqual([
      'config.permission of hooks.ts: unknown setting. Did you mean "permissions"?',
    ])
  })

  test('is named with the line of a setting, if the module writes it out', () => {
    const folder = project({
      'hooks.ts':
        "const options = { prot: 1 }\n// prot: 1\nexport const config = {\n  path: '/',\n  'prot': 1,\n  port: 'x',\n}",
    })
    const name = join(folder, 'hooks.ts')
    expect(problemsOf({ module: { name, config: { path: '/', prot: 1, port: 'x', host: '' } } })).toEqual([
      `config.prot of ${name}:5: unknown setting. Did you mean "port"?`,
      `config.port of ${name}:6: expected a port from 0 (any free port) to 65535, got "x"`,
      `config.host of ${name}: expected a value that is not empty, got ""`,
    ])
  })

  test('is rejected if it has dev or logFormat, which the server needs before the import', () => {
    expect(problemsOf({ module: { name: 'hooks.ts', config: { dev: true, logFormat: 'json' } } })).toEqual([
      'config.dev of hooks.ts: the server generates a secret and starts to watch the files before it imports the module: set --dev or HOOKSERVER_DEV instead',
      'config.logFormat of hooks.ts: the server logs before it imports the module: set --log-format or HOOKSERVER_LOG_FORMAT instead',
    ])
  })

  test('is rejected if it has secretFile, even if the flag or the variable is set too', () => {
    const module = { name: 'hooks.ts', config: { secretFile: 'secrets' } }
    const problems = [
      'config.secretFile of hooks.ts: the server reads the secret before it imports the module: set --secret-file or HOOKSERVER_SECRET_FILE instead',
    ]
    expect(problemsOf({ module })).toEqual(problems)
    expect(problemsOf({ module, flags: { secretFile: 'secrets' } })).toEqual(problems)
    expect(problemsOf({ module, env: { HOOKSERVER_SECRET_FILE: 'secrets' } })).toEqual(problems)
  })
})

test('reports all problems together', () => {
  const problems = problemsOf({
    flags: { port: 'http' },
    env: { HOOKSERVER_ROLE: 'both' },
    module: { name: 'hooks.ts', config: { grace: 25, nothing: 1 } },
  })
  expect(problems.map((problem) => problem.split(':', 1)[0])).toEqual([
    'config.nothing of hooks.ts',
    '--port',
    'the environment variable HOOKSERVER_ROLE',
    'config.grace of hooks.ts',
  ])
})

test.each(['0s', '1.5h', '-1d', '9999999999999999d', 'd', '5 m'])('%j is not a duration', (text) => {
  expect(problemsOf({ flags: { retention: text } })).toHaveLength(1)
})

test.each([',', ' , '])('a list of proxies without an entry is rejected: %j', (trustProxy) => {
  expect(problemsOf({ flags: { trustProxy } })).toHaveLength(1)
})

test.each(['0MiB', '1.5GiB', '100', '99999999999TiB'])('%j is not a size', (text) => {
  expect(problemsOf({ flags: { maxSize: text } })).toHaveLength(1)
})
