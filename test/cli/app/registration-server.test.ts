import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { registerApp } from '../../../src/cli/app/registration.ts'
import { RegistrationServer } from '../../../src/cli/app/registration-server.ts'
import { createManifest } from '../../../src/github/app/manifest.ts'
import { project } from '../../server/service.ts'
import { submissionOn, submitForm } from './create-scene.ts'

const github = 'http://127.0.0.1:1'

const manifest = (redirectUrl: string) =>
  createManifest(
    { events: [], permissions: {} },
    { name: 'a', description: undefined, homepage: github, url: undefined, redirectUrl, isPublic: false },
  )

/** @returns a server, and the codes that it has accepted. */
async function startRegistration(skipsForm = false) {
  const codes: string[] = []
  const server = await RegistrationServer.start({
    ...{ github, organization: undefined, manifest, notes: [], skipsForm, onRejected: () => {} },
    register: async (code) => `${github}/${codes.push(code)}`,
  })
  onTestFinished(() => server.close())
  return { server, codes }
}

test('every address begins with a random path', async () => {
  const [{ server }, { server: other }] = [await startRegistration(), await startRegistration()]
  const [path, otherPath] = [server, other].map(({ address }) => new URL(address).pathname)
  expect([path, otherPath]).toEqual([
    expect.stringMatching(/^\/[\w-]{43}\/$/),
    expect.stringMatching(/^\/[\w-]{43}\/$/),
  ])
  expect(path).not.toBe(otherPath)
  expect(await (await fetch(server.address)).text()).toContain('action="manifest"')
  const submission = submissionOn(await (await submitForm(server.address)).text())
  expect(JSON.parse(submission.manifest).redirect_url).toBe(`${server.address}registered`)
})

test('without the path, another user of the machine learns neither the path nor the state', async () => {
  const { server, codes } = await startRegistration(true)
  const { origin, pathname } = new URL(server.address)
  const { action } = submissionOn(await (await fetch(server.address)).text())
  const state = new URL(action).searchParams.get('state') ?? ''
  const wrong = pathname.replace(/.{2}$/, pathname.endsWith('A/') ? 'B/' : 'A/')
  const paths = [
    '/',
    '/manifest',
    `/registered?code=1&state=${state}`,
    wrong,
    `${wrong}registered?code=1&state=${state}`,
  ]
  for (const path of [...paths, pathname.toUpperCase(), `//${pathname}`]) {
    for (const method of ['GET', 'POST']) {
      const answer = await fetch(origin + path, { method, headers: { origin }, redirect: 'manual' })
      const text = await answer.text()
      expect([path, method, answer.status]).toEqual([path, method, 404])
      for (const secret of [pathname.slice(1, -1), state]) expect(text).not.toContain(secret)
    }
  }
  expect(await answerTo(origin, 'attacker.example')).toEqual([404, expect.not.stringContaining(pathname)])
  expect(codes).toEqual([])
})

/** The answer to a request with another `Host`, which `fetch` cannot send. */
function answerTo(origin: string, host: string): Promise<[number | undefined, string]> {
  const { promise, resolve, reject } = Promise.withResolvers<[number | undefined, string]>()
  const sent = request(`${origin}/`, { headers: { host } }, async (response) => {
    let text = ''
    for await (const chunk of response) text += chunk
    resolve([response.statusCode, text])
  })
  sent.on('error', reject).end()
  return promise
}

test.skipIf(process.platform !== 'linux')('the browser gets a private file instead of the address', async () => {
  const folder = project({
    'xdg-open': '#!/bin/sh\ncd "$(dirname "$0")" && echo "$@" > arguments.new && mv arguments.new arguments\n',
  })
  chmodSync(join(folder, 'xdg-open'), 0o700)
  const aborter = new AbortController()
  vi.stubEnv('PATH', `${folder}:${process.env.PATH}`)
  onTestFinished(() => void vi.unstubAllEnvs())
  const print = vi.spyOn(process.stdout, 'write').mockImplementation((...given) => {
    const done = given.at(-1)
    if (typeof done === 'function') done()
    return true
  })
  onTestFinished(() => print.mockRestore())
  const registered = registerApp({
    ...{ addresses: { github, apiUrl: github, variables: {} }, organization: undefined, manifest, notes: [] },
    ...{ skipsForm: false, output: join(folder, '.env'), envFile: undefined, opensBrowser: true },
    ...{ progress: { written: false }, signal: aborter.signal },
  })
  registered.catch(() => {})
  const name = await vi.waitUntil(() => readdirSync(folder).find((one) => /^\.env\.\w+\.html$/.test(one)), 60_000)
  const file = join(folder, name)
  await vi.waitUntil(() => existsSync(join(folder, 'arguments')), 60_000)
  expect(readFileSync(join(folder, 'arguments'), 'utf8')).toBe(`${file}\n`)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const [, address] = /url=(http:\/\/127\.0\.0\.1:\d+\/[\w-]{43}\/)"/.exec(readFileSync(file, 'utf8')) ?? []
  expect((await fetch(address ?? '')).status).toBe(200)
  aborter.abort()
  await expect(registered).rejects.toThrow()
  expect(existsSync(file)).toBe(false)
})
