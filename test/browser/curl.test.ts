import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { Hooks } from '../../src/index.ts'
import type { SignedRequestOptions } from '../../src/testing/index.ts'
import { issue } from './payloads.ts'
import { openScene, readOnlyToken, type Scene } from './scene.ts'

let scene: Scene
let page: Page

beforeAll(async () => {
  const hooks = new Hooks({ secret: 'the server sets another secret', logger: false })
  hooks.on('issues', { name: 'tracker' }, () => 'filed')
  scene = await openScene(hooks, { readOnlyToken })
  page = await scene.open()
})

/** Delivers a payload. @returns The id of the delivery. */
async function deliver(payload: object | string, options: SignedRequestOptions = {}): Promise<number> {
  await scene.deliver('issues', payload, options)
  return scene.newest()
}

const button = (name: string | RegExp) => page.getByRole('button', { name })
const clipboard = () => page.evaluate('navigator.clipboard.readText()')

describe('the curl command', () => {
  test.each([
    ['plain JSON', JSON.stringify(issue(21)), {}],
    ['quotes and shell syntax', JSON.stringify(issue(22, `it's "$(exit 1)" \`exit 2\` \\ !!`)), {}],
    ['a form', issue(23), { form: true }],
    ['control characters for terminals', `{"action":"opened","x":"\u009b31m \u202e"}`, {}],
  ])('posts the same bytes of %s again, with the same signature', async (_name, payload, options) => {
    const id = await deliver(payload, options)
    await scene.show(page, id)
    await button('Copy as curl').waitFor()
    await page.evaluate('navigator.clipboard.writeText("")')
    await page.keyboard.press('c')
    await expect.poll(clipboard).toContain('curl')
    const command = String(await clipboard())
    const { stdout } = await promisify(execFile)('bash', [
      '-c',
      `set -o pipefail\n${command.replace('curl', 'curl -sS')}`,
    ])
    expect(stdout).toBe('Duplicate')
    await page.reload()
    await page.getByText('1 copy was received later').waitFor()
  })

  test('of a large delivery reads the downloaded file', async () => {
    const id = await deliver({ ...issue(24), filling: 'x'.repeat(200_000) })
    const { guid } = await scene.ask(`deliveries/${id}`)
    await scene.show(page, id)
    await button('Copy as curl').click()
    await page.getByText(`The command reads the body from ${guid}.json. Download`).waitFor()
    expect(await clipboard()).toContain(`--data-binary '@${guid}.json'`)
  })

  test('is not offered with the read-only token', async () => {
    const id = await deliver(issue(25))
    const other = await scene.open(`#/deliveries/${id}`, { token: readOnlyToken })
    await other.getByRole('treeitem').first().waitFor()
    expect(await other.getByRole('button', { name: 'Copy as curl' }).count()).toBe(0)
    await other.context().close()
  })
})
