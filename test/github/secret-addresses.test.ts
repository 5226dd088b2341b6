/** The address of a webhook may hold a secret, so it is in no database, log, API or terminal. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { DeliveryFailure } from '../../src/testing/index.ts'
import { hookserver } from '../cli/command.ts'
import { openAdmin } from '../server/administered.ts'
import { PollingScene } from './polling-scene.ts'
import { Scene, token } from './recovery-scene.ts'

const hidden = 'hidden-in-the-address'
const address = `http://127.0.0.1:9/${hidden}?key=${hidden}`

/** All bytes of the database, as text. */
function databaseText(file: string): string {
  const folder = dirname(file)
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'latin1'))
    .join('')
}

const push = { ref: 'refs/heads/main', repository: { id: 1, full_name: 'acme/shop' } }
const failures: DeliveryFailure[] = ['timeout', 'closed', 'unreachable', 'unresolved', 'tls']

test.each(['current', 'classic'] as const)('recovery hides it in texts of the kind %s', async (statusTexts) => {
  const scene = await Scene.open({ statusTexts })
  scene.hook.url = address
  scene.github.record(
    scene.hook,
    failures.map((failure) => ({ event: 'push', payload: push, failure })),
  )
  const recovery = scene.recovery({ publicUrl: `${address}&other` })
  const admin = await openAdmin({ inbox: scene.inbox, recovery })
  const answers = [
    await admin.post('/api/v1/recovery/sweeps', { dryRun: true }),
    await admin.post('/api/v1/recovery/sweeps'),
    await admin.get('/api/v1/recovery'),
  ]
  await scene.github.idle()
  await scene.recovery({ targets: [{ repository: 'acme/shop' }], publicUrl: `${address}&other` }).sweep()
  const name = `acme/shop#${scene.hook.id}`
  const env = { HOOKSERVER_GITHUB_TOKEN: token }
  const flags = ['--api-url', scene.github.url, '--database', scene.file, '--pace', '1ms']
  const outputs = [
    await hookserver(['recover', ...flags, name, '--dry-run'], env),
    await hookserver(['recover', ...flags, name, '--json'], env),
  ]
  const shown = JSON.stringify([answers, outputs, scene.recorder.lines, admin.recorder.lines])
  expect(shown).toContain(statusTexts === 'current' ? 'connection refused' : 'failed to connect to host')
  expect(shown).not.toContain(hidden)
  expect(databaseText(scene.file)).not.toContain(hidden)
})

describe('polling hides it', () => {
  test('in the log and in the database, when several webhooks are possible', async () => {
    const scene = await PollingScene.open()
    scene.hook.url = address
    scene.github.addHook({ repository: 'acme/shop', url: `${address}&other` })
    const poll = scene.poll({ targets: [{ repository: 'acme/shop' }] })
    await poll.turn()
    await poll.stop()
    expect(poll.recorder.messages[0]).toContain('acme/shop has 2 webhooks')
    expect(JSON.stringify(poll.recorder.lines)).not.toContain(hidden)
    expect(databaseText(scene.file)).not.toContain(hidden)
  })

  test('in the records of deliveries that GitHub does not show', async () => {
    const scene = await PollingScene.open()
    scene.hook.url = address
    await scene.push()
    const [entry] = scene.github.deliveries(scene.hook)
    scene.github.overrideEntry(entry?.id ?? '', { single: { status: 422, body: { message: `no ${address}` } } })
    const poll = scene.poll()
    await poll.turn()
    await poll.stop()
    expect(await scene.inbox.missedDeliveries()).toHaveLength(1)
    expect(JSON.stringify(poll.recorder.lines)).not.toContain(hidden)
    expect(databaseText(scene.file)).not.toContain(hidden)
  })
})
