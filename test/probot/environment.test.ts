/** The environment variables of an app. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Hooks, type HooksOptions } from '../../src/index.ts'
import { optionsOf } from '../../src/internals.ts'
import { createProbot, probot } from '../../src/probot/index.ts'
import { consoleLogger, setDefaultLogger } from '../../src/telemetry/logger.ts'
import { Recorder } from '../recorder.ts'
import { privateKey, recordedLog } from './scene.ts'

const env = { APP_ID: '1', PRIVATE_KEY: privateKey, WEBHOOK_SECRET: 'from the environment' }

const appIdOf = async (own: Record<string, string>) => {
  const octokit = await createProbot({ env: own }).auth()
  return (await octokit.auth({ type: 'app' })) as { appId: string }
}

describe('createProbot()', () => {
  test('reads the variables of Probot', async () => {
    const probot = createProbot({
      env: { ...env, WEBHOOK_PATH: '/own', GHE_HOST: 'github.example', GHE_PROTOCOL: 'http', LOG_LEVEL: 'error' },
    })
    expect(probot.webhookPath).toBe('/own')
    expect(probot.log.level).toBe('error')
    expect(optionsOf(probot.hooks).secret).toBe('from the environment')
    expect((await probot.auth()).request.endpoint.DEFAULTS.baseUrl).toBe('http://github.example/api/v3')
  })

  test('prefers the variables of hookserver', async () => {
    const own = { GITHUB_APP_ID: '7', GITHUB_APP_PRIVATE_KEY: privateKey, GITHUB_WEBHOOKS_KEY: 'own' }
    expect(await appIdOf({ ...env, ...own })).toMatchObject({ appId: '7' })
    expect(optionsOf(createProbot({ env: { ...env, ...own } }).hooks).secret).toBe('own')
  })

  test('lets overrides win over the environment, and the environment over defaults', () => {
    const given = {
      env: { ...env, LOG_LEVEL: 'fatal' },
      defaults: { logLevel: 'debug', webhookPath: '/default' } as const,
    }
    expect(createProbot(given).log.level).toBe('fatal')
    expect(createProbot({ ...given, overrides: { logLevel: 'trace' } }).log.level).toBe('trace')
    expect(createProbot({ ...given, env }).log.level).toBe('debug')
    expect(createProbot({ ...given, env }).webhookPath).toBe('/default')
  })

  test('reads a key in one line, in base64, and in a file', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'probot-')), 'key.pem')
    writeFileSync(path, privateKey)
    for (const key of [
      { PRIVATE_KEY: privateKey.replaceAll('\n', '\\n') },
      { PRIVATE_KEY: Buffer.from(privateKey).toString('base64') },
      { PRIVATE_KEY_PATH: path },
    ]) {
      expect(await appIdOf({ APP_ID: '1', ...key } as Record<string, string>)).toMatchObject({ type: 'app' })
    }
  })

  describe('in a folder with one .pem file', () => {
    const enter = (text: string) => {
      const [folder, former] = [mkdtempSync(join(tmpdir(), 'probot-')), process.cwd()]
      writeFileSync(join(folder, 'only.pem'), text)
      process.chdir(folder)
      onTestFinished(() => process.chdir(former))
    }
    const hooksWith = (options: HooksOptions) =>
      new Hooks({ secret: 's', validateIp: false, logger: false, ...options })
    const certificate = '-----BEGIN CERTIFICATE-----'

    test('reads the key from it', async () => {
      enter(privateKey)
      expect(await appIdOf({ APP_ID: '1' })).toMatchObject({ type: 'app' })
    })

    test('does not read it if an option has credentials, or if there is no App', async () => {
      enter(certificate)
      await probot(hooksWith({ app: { id: 1, privateKey } }), () => {})
      await probot(hooksWith({ token: 'token' }), () => {})
      await probot(hooksWith({}), () => {}, { githubToken: 'token' })
      createProbot({ env: {}, defaults: { appId: 1, privateKey } })
      expect(() => createProbot({ env: {} })).toThrow('set APP_ID')
      createProbot({ env: {}, overrides: { appId: 1, privateKey } })
    })

    test('says that it is not a key', () => {
      enter(certificate)
      expect(() => createProbot({ env: { APP_ID: '1' } })).toThrow(/^only\.pem is not a private key/)
    })
  })

  test('warns about variables that have no effect', () => {
    const recorder = new Recorder()
    onTestFinished(() => setDefaultLogger(consoleLogger))
    setDefaultLogger(recorder)
    const without = { LOG_FORMAT: 'json', LOG_LEVEL_IN_STRING: 'true', LOG_MESSAGE_KEY: 'message' }
    const unused = { REDIS_URL: 'redis://h', SENTRY_DSN: 'https://h', WEBHOOK_PROXY_URL: 'https://smee.io/h' }
    createProbot({ env: { ...env, ...without, ...unused } })
    expect(recorder.messages.map((text) => text.split(':')[0])).toEqual([
      'The option "redisConfig" (REDIS_URL) has no effect',
      'The option "sentryDsn" (SENTRY_DSN) has no effect',
      'The option "webhookProxy" (WEBHOOK_PROXY_URL) has no effect',
      'The option "logFormat" (LOG_FORMAT) has no effect',
      'The option "logLevelInString" (LOG_LEVEL_IN_STRING) has no effect',
      'The option "logMessageKey" (LOG_MESSAGE_KEY) has no effect',
    ])
    expect(recorder.messages[2]).toContain('hookserver serve --pull app')
  })

  test('does not warn about variables that a logger of the program may read', () => {
    const recorder = new Recorder()
    const own = { ...env, LOG_FORMAT: 'json', LOG_LEVEL_IN_STRING: 'false' }
    createProbot({ env: own, overrides: { log: recordedLog(recorder) } })
    expect(recorder.messages).toEqual([])
  })

  test('names the variable that is missing or invalid, without its value', () => {
    expect(() => createProbot({ env: { PRIVATE_KEY: privateKey } })).toThrow('set APP_ID')
    expect(() => createProbot({ env: { APP_ID: '1' } })).toThrow('set PRIVATE_KEY or PRIVATE_KEY_PATH')
    expect(() => createProbot({ env: { APP_ID: '1', PRIVATE_KEY: 'broken' } })).toThrow(
      /^PRIVATE_KEY is not a private key/,
    )
    expect(() => createProbot({ env: { APP_ID: '1', PRIVATE_KEY_PATH: '/nothing' } })).toThrow(
      'PRIVATE_KEY_PATH is not the path of a readable file (ENOENT)',
    )
  })
})
