/** A local GitHub, a receiver whose secrets are in a file, and the commands for webhooks. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { hookserver as mounted } from '../../../src/adapters/node.ts'
import { Hooks } from '../../../src/index.ts'
import { LocalGitHub, type LocalHook, type LocalHookOptions } from '../../../src/testing/index.ts'
import { listen, stop } from '../../adapters/host.ts'
import { project } from '../../server/service.ts'
import { type Ended, hookserver } from '../command.ts'

export const secret = 'the secret of the webhook'
export const token = 'github_pat_that_must_stay_secret'

export class WebhooksScene {
  readonly github: LocalGitHub
  /** The address of the receiver. */
  readonly url: string
  readonly folder: string
  readonly secretFile: string
  /** Ends the receiver. */
  readonly stop: () => Promise<void>

  private constructor(github: LocalGitHub, folder: string, url: string, end: () => Promise<void>) {
    this.github = github
    this.folder = folder
    this.secretFile = join(folder, 'secrets')
    this.url = url
    this.stop = end
  }

  static async open(secrets: readonly string[] = [secret]): Promise<WebhooksScene> {
    const github = await LocalGitHub.start({ token, limits: { authorized: 100_000, points: 1e9 } })
    onTestFinished(() => github.close())
    github.addRepository('acme/shop')
    const folder = project({ secrets: secrets.map((one) => `${one}\n`).join('') })
    const read = () => readFileSync(join(folder, 'secrets'), 'utf8').split('\n').filter(Boolean)
    const hooks = new Hooks({ secret: read, validateIp: false, logger: false })
    const server = createServer(mounted(hooks))
    const url = `${await listen(server)}/hooks`
    const end = async () => {
      if (server.listening) await stop(server)
    }
    onTestFinished(end)
    return new WebhooksScene(github, folder, url, end)
  }

  addHook(options: Partial<LocalHookOptions> = {}): LocalHook {
    const owner = 'app' in options || 'organization' in options ? {} : { repository: 'acme/shop' }
    return this.github.addHook({ ...owner, url: this.url, secret, events: ['push'], ...options } as LocalHookOptions)
  }

  /** The secrets in the file, newest first. */
  get secrets(): string[] {
    return readFileSync(this.secretFile, 'utf8').split('\n').filter(Boolean)
  }

  /** The requests that changed something on GitHub, without pings and redeliveries. */
  get writes(): string[] {
    return this.github.requests
      .filter(({ method, path }) => method !== 'GET' && !/\/(pings|attempts|access_tokens)$/.test(path))
      .map(({ method, path }) => `${method} ${path}`)
  }

  /** Runs `hookserver webhooks`, and checks that it shows no secret. */
  async run(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
    const flags = ['--api-url', this.github.url]
    const ended = await hookserver(['webhooks', ...args, ...flags], { HOOKSERVER_GITHUB_TOKEN: token, ...env })
    for (const hidden of [token, secret, ...this.secrets]) expect(ended.stdout + ended.stderr).not.toContain(hidden)
    return ended
  }

  /** Runs a command with the flags for the receiver and its secrets. */
  runHere(...args: string[]): Promise<Ended> {
    return this.run([...args, '--public-url', this.url, '--secret-file', this.secretFile])
  }
}
