import { describe, expect, onTestFinished, test } from 'vitest'
import type { Requester } from '../../../src/github/requester.ts'
import type { Target } from '../../../src/github/target.ts'
import { proveByFirstPing, proveByLastDelivery, proveByPing } from '../../../src/github/webhooks/prove-secret.ts'
import { WebhooksApi } from '../../../src/github/webhooks/webhooks-api.ts'
import { type Failure, LocalGitHub } from '../../../src/testing/index.ts'
import { Scene } from '../recovery-scene.ts'

const repository: Target = { repository: 'acme/shop' }
const settings = { events: ['push'], active: true, contentType: 'json', verifiesTls: true } as const

async function open({ pacing = true } = {}) {
  const scene = await Scene.open()
  const waits: number[] = []
  const pause = async (ms: number) => {
    waits.push(ms)
    await scene.github.idle() // the delivery that the client waits for
  }
  const signal = new AbortController().signal
  const api = new WebhooksApi({ target: repository, github: scene.requester(), signal, pacing, pause })
  return { scene, api, waits, secret: 'the secret of the hook' }
}

const idOf = (scene: Scene): string => String(scene.hook.id)

describe('the client for webhooks', () => {
  test('creates, changes and deletes webhooks, and waits between two changes', async () => {
    const { scene, api, waits, secret } = await open()
    const url = `${scene.url}?second`
    const created = await api.create({ ...settings, url }, secret)
    expect(created).toMatchObject({ url, events: ['push'], active: true, contentType: 'json', hasSecret: true })
    const id = created.id as string
    await api.update(id, { ...settings, url, events: ['issues', 'push'], active: false }, secret)
    await api.updateConfig(id, { url, verifiesTls: false }, secret)
    const changed = (await api.list()).find((one) => one.id === id)
    expect(changed).toMatchObject({ url, events: ['issues', 'push'], active: false, verifiesTls: false })
    await api.delete(id)
    expect((await api.list()).map((one) => one.id)).toEqual([idOf(scene)])
    expect(waits).toHaveLength(3)
    for (const wait of waits) expect(wait).toBeGreaterThan(0)
  })

  test('does not wait between two changes without pacing', async () => {
    const { scene, api, waits, secret } = await open({ pacing: false })
    await api.updateConfig(idOf(scene), { verifiesTls: false }, secret)
    await api.updateConfig(idOf(scene), { verifiesTls: true }, secret)
    expect(waits).toEqual([])
  })

  test('sends the secret with every change, because GitHub removes it otherwise', async () => {
    const { scene, api, secret } = await open()
    await api.update(idOf(scene), { ...settings, url: scene.url, events: ['issues'] }, secret)
    await api.updateConfig(idOf(scene), { contentType: 'json' }, secret)
    const bodies = scene.github.requests.filter(({ method }) => method === 'PATCH').map(({ body }) => body)
    expect(bodies).toMatchObject([{ config: { secret } }, { secret }])
  })

  test('does not repeat a creation whose response got lost', async () => {
    const { scene, api, secret } = await open()
    scene.github.failAt(/^POST /, 'cut', 'cut')
    await expect(api.create({ ...settings, url: `${scene.url}?lost` }, secret)).rejects.toThrow()
    expect(scene.github.requests.filter(({ method }) => method === 'POST')).toHaveLength(1)
  })

  test('deletes a webhook although the response to the first request gets lost', async () => {
    const { scene, waits } = await open()
    const github = scene.requester()
    const request: Requester['request'] = async (...input) => {
      const response = await github.request(...input)
      if (input[0].startsWith('DELETE ')) throw Object.assign(new Error('other side closed'), { status: 500 })
      return response
    }
    const pause = async (ms: number) => void waits.push(ms)
    const signal = new AbortController().signal
    const api = new WebhooksApi({ target: repository, github: { request }, signal, pause })
    await api.delete(idOf(scene))
    expect(await api.list()).toEqual([])
  })

  test('reports a webhook that it may not delete', async () => {
    const { scene, api } = await open()
    scene.github.failAt(/^DELETE /, { status: 404, body: { message: 'Not Found' } })
    await expect(api.delete(idOf(scene))).rejects.toThrow('the token or the App has')
  })

  test('follows the redirect of a change within the server, and sends the secret to no other server', async () => {
    const { scene, api, secret } = await open()
    const [other, path] = [await LocalGitHub.start(), `/repos/acme/shop/hooks/${scene.hook.id}/config`]
    onTestFinished(() => other.close())
    const to = (location: string) => scene.github.failAt(/^PATCH /, { status: 307, headers: { location } })
    to(path)
    await api.updateConfig(idOf(scene), {}, secret)
    expect(scene.hook.secret).toBe(secret)
    to(other.url + path)
    const redirected = api.updateConfig(idOf(scene), {}, secret)
    await expect(redirected).rejects.toThrow(`redirects to another server (${other.url})`)
    expect(other.requests).toEqual([])
  })

  test.each([
    [{ message: 'no to "the secret of the hook"' }, 'no to "[secret]"'],
    [{ message: 'no', errors: [null, 'why'] }, 'why'],
  ])('shows no secret in the reason of GitHub: %j', async (body, reason) => {
    const { scene, api, secret } = await open()
    scene.github.failAt(/^PATCH /, { status: 422, body })
    await expect(api.updateConfig(idOf(scene), {}, secret)).rejects.toThrow(`(422): ${reason}`)
  })

  test.each([['<html>'], [{}], [[null]]])('rejects %j in place of a list of webhooks', async (body) => {
    const { scene, api } = await open()
    scene.github.fail({ status: 200, body })
    await expect(api.list()).rejects.toThrow('is not a list: check that --github or --api-url')
  })

  test.each<[string, Failure, string]>([
    [
      'a page of HTML',
      { status: 502, headers: { 'content-type': 'text/html' }, body: '<html>Bad Gateway</html>' },
      'GitHub answered 502 without a JSON object: a proxy may have answered, or GitHub is not available',
    ],
    ['no id', { status: 201, body: { active: true } }, "GitHub's answer to the creation of a webhook has no id"],
    ['null', { status: 201, body: null }, "GitHub's answer to the creation of a webhook has no id"],
  ])('says that GitHub may have created the webhook if the answer is %s', async (_, failure, reason) => {
    const { scene, api, secret } = await open()
    scene.github.failAt(/^POST /, failure)
    await expect(api.create({ ...settings, url: `${scene.url}?new` }, secret)).rejects.toThrow(
      `${reason}. GitHub may have created the webhook: run the command again, which then finds it`,
    )
  })

  test('waits for a secondary rate limit', async () => {
    const { scene, api, waits } = await open()
    scene.github.fail({ status: 403, headers: { 'retry-after': '60' } })
    expect(await api.list()).toHaveLength(1)
    expect(waits).toEqual([60_000])
  })

  test('names the permission that a token lacks', async () => {
    const { scene } = await open()
    const token = scene.github.addToken({ permissions: { repository_hooks: 'read' } })
    const signal = new AbortController().signal
    const api = new WebhooksApi({ target: repository, github: scene.requester(token), signal })
    expect(await api.list()).toHaveLength(1)
    await expect(api.delete(idOf(scene))).rejects.toThrow('"Webhooks" with Read and write (repository_hooks=write)')
  })
})

describe('the proof of a secret', () => {
  test('comes from a ping, also if the secret is an older one', async () => {
    const { scene, api, secret } = await open()
    expect(await proveByPing(api, { id: idOf(scene) }, ['new', secret])).toMatchObject({
      ...{ signedWith: 'our secret', index: 1, receiver: 'accepted' },
      delivery: { event: 'ping' },
    })
    expect(await proveByLastDelivery(api, { id: idOf(scene) }, [secret])).toMatchObject({ index: 0 })
  })

  test('is missing if the secret drifted: the receiver rejects the ping', async () => {
    const { scene, api, secret } = await open()
    scene.hook.secret = 'drifted'
    expect(await proveByPing(api, { id: idOf(scene) }, [secret])).toMatchObject({
      signedWith: 'unknown',
      receiver: 'wrong_signature',
    })
    scene.hook.secret = undefined
    expect(await proveByPing(api, { id: idOf(scene) }, [secret])).toMatchObject({
      signedWith: 'no secret',
      receiver: 'missing_signature',
    })
  })

  test('needs no receiver', async () => {
    const { scene, api, secret } = await open()
    await scene.stopListening()
    expect(await proveByPing(api, { id: idOf(scene) }, [secret])).toMatchObject({ index: 0, receiver: 'failed' })
  })

  test('comes from the first ping of a new webhook', async () => {
    const { scene, api, secret } = await open()
    const created = await api.create({ ...settings, url: `${scene.url}?new` }, secret)
    expect(await proveByFirstPing(api, created, [secret])).toMatchObject({ index: 0, delivery: { event: 'ping' } })
  })
})
