import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { planRotation } from '../../../src/github/webhooks/plan.ts'
import { main } from '../../build.ts'
import { secret, token, WebhooksScene } from './webhooks-scene.ts'

const rotateWith = (scene: WebhooksScene, ...flags: string[]) =>
  scene.run(['rotate', 'acme/shop', '--secret-file', scene.secretFile, '--yes', ...flags])

test.each([
  [1, undefined, false, 'start'],
  [1, 0, true, 'start'],
  [2, 0, false, 'start'],
  [2, 0, true, 'finish'],
  [2, 1, false, 'continue'],
  [2, 1, true, 'continue'],
  [2, undefined, true, 'start'],
] as const)(
  'with %i secrets, if GitHub signs with the one at index %s, and --drop-old is %s, the next step is "%s"',
  (count, used, drop, step) => {
    expect(planRotation(count, used, drop)).toBe(step)
  },
)

describe('a rotation', () => {
  test('adds a new secret, sets and proves it, and a later rotation drops the old secret', async () => {
    const scene = await WebhooksScene.open()
    const hook = scene.addHook()
    const first = await rotateWith(scene)
    expect(first.stdout.split('\n')).toEqual([
      `acme/shop#${hook.id}: start the rotation`,
      `  1. add a new secret as the first line of ${scene.secretFile}`,
      '  2. set the new secret on GitHub, and prove it with a ping',
      '  3. keep 1 old secret, until you run this with --drop-old',
      expect.stringContaining('✓ secret     proved: GitHub signed the ping'),
      '✓ receiver   accepted the ping',
      '',
    ])
    const [added = ''] = scene.secrets
    expect(scene.secrets).toEqual([added, secret])
    expect(added).toMatch(/^[\w-]{32}$/)
    expect([first.code, hook.secret, statSync(scene.secretFile).mode & 0o777]).toEqual([0, added, 0o600])
    const second = await rotateWith(scene, '--drop-old')
    expect(second.stdout).toContain(`acme/shop#${hook.id}: finish the rotation\n  1. drop 1 old secret\n✓ old `)
    expect([scene.secrets, hook.secret, scene.writes.length]).toEqual([[added], added, 1])
  })

  test('continues after a crash before GitHub had the new secret', async () => {
    const scene = await WebhooksScene.open(['secret-number-two', secret])
    const hook = scene.addHook()
    const { code, stdout } = await rotateWith(scene, '--drop-old')
    expect(stdout).toContain('continue the rotation\n  1. set the new secret on GitHub')
    expect([code, hook.secret, scene.secrets]).toEqual([0, 'secret-number-two', ['secret-number-two']])
  })

  test('has both secrets in the file when it is killed while GitHub changes the secret, and can be continued', async () => {
    const scene = await WebhooksScene.open()
    const hook = scene.addHook()
    scene.github.failAt(/^PATCH /, 'hang')
    const args = ['webhooks', 'rotate', 'acme/shop', '--secret-file', scene.secretFile, '--yes']
    const env = { ...process.env, HOOKSERVER_GITHUB_TOKEN: token, HOOKSERVER_API_URL: scene.github.url }
    const child = spawn(process.execPath, [main, ...args], { env, stdio: 'ignore' })
    const hasStarted = () => scene.writes.length
    await expect.poll(hasStarted).toBe(1)
    child.kill('SIGKILL')
    await once(child, 'close')
    const [added, ...old] = scene.secrets
    expect(old).toEqual([secret])
    expect((await rotateWith(scene)).stdout).toContain('continue the rotation')
    expect(hook.secret).toBe(added)
  })

  test('has both secrets in the file when GitHub fails, and keeps them', async () => {
    const scene = await WebhooksScene.open()
    const hook = scene.addHook()
    scene.github.failAt(/^PATCH /, { status: 422 })
    const { code, stderr } = await rotateWith(scene, '--drop-old')
    expect(stderr).toContain('has the old and the new secret, so the server accepts both. Run this again to continue')
    expect([code, hook.secret, scene.secrets.length]).toEqual([1, secret, 2])
    expect((await rotateWith(scene)).stdout).toContain('continue the rotation')
    expect(hook.secret).toBe(scene.secrets[0])
  })

  test('keeps the old secret while no receiver accepts pings', async () => {
    const scene = await WebhooksScene.open()
    scene.addHook()
    await scene.stop()
    const { code, stdout } = await rotateWith(scene, '--drop-old')
    expect(stdout).toContain('! old        kept, because no ping proved the new secret')
    expect([code, scene.secrets.length]).toEqual([0, 2])
  })

  test('is rolled back if the server does not accept the new secret', async () => {
    const scene = await WebhooksScene.open()
    const hook = scene.addHook()
    const copy = `${scene.secretFile}.copy` // a file that the server does not read
    writeFileSync(copy, `${secret}\n`, { mode: 0o600 })
    const { code, stdout } = await scene.run(['rotate', 'acme/shop', '--secret-file', copy, '--yes'])
    expect(stdout).toContain('✗ rollback   GitHub signs with the old secret again')
    expect([code, hook.secret]).toEqual([1, secret])
  })

  test('changes nothing in a dry run', async () => {
    const scene = await WebhooksScene.open()
    scene.addHook()
    const { stdout } = await rotateWith(scene, '--dry-run', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ rotation: 'start', applied: false, findings: [] })
    expect([scene.secrets, scene.github.requests.some(({ method }) => method !== 'GET')]).toEqual([[secret], false])
  })
})

test('two rotations of one file do not run at the same time', async () => {
  const scene = await WebhooksScene.open()
  scene.addHook()
  writeFileSync(`${scene.secretFile}.lock`, '')
  expect(await rotateWith(scene)).toMatchObject({
    ...{ code: 1, stderr: expect.stringContaining('Another rotation of') },
  })
  expect([scene.secrets, scene.writes]).toEqual([[secret], []])
})

test('a secret in the environment is not rotated: the error says what to do, in which order', async () => {
  const scene = await WebhooksScene.open()
  const { code, stderr } = await scene.run(['rotate', 'acme/shop#7', '--yes'], { GITHUB_WEBHOOKS_KEY: secret })
  expect(code).toBe(2)
  expect(stderr).toContain('node --env-file-if-exists=.env -p process.env.GITHUB_WEBHOOKS_KEY > webhook-secrets')
  expect(stderr).toContain('3. npx hookserver webhooks rotate acme/shop#7 --secret-file webhook-secrets')
  expect(scene.github.requests).toEqual([])
})

test('without a secret, the error names the flag', async () => {
  const scene = await WebhooksScene.open()
  const { code, stderr } = await scene.run(['rotate', 'acme/shop#7', '--yes'])
  expect([code, stderr]).toEqual([2, expect.stringMatching(/^hookserver: No secret was found\. .* --secret-file\.\n$/)])
})
