/** `hookserver app create` in a folder with a module, and a user who visits the pages of the command and of GitHub. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { expect, onTestFinished } from 'vitest'
import type { LocalGitHub, LocalGitHubOptions } from '../../../src/testing/index.ts'
import { main } from '../../build.ts'
import { compileCache } from '../../compile-cache.ts'
import { startGitHub } from '../../github/bot-scene.ts'
import { project } from '../../server/service.ts'
import { click, formOf, send } from '../../testing/github/browser.ts'
import { interruptHere, type LocalRun, runHere } from '../command.ts'

/** A module that comments on every new issue. */
export const botModule = `
import { Hooks } from 'hookserver'

export const config = { permissions: { issues: 'write' } }

const hooks = new Hooks({ logger: false })

hooks.hook('issues.opened', async ({ issue, repository }, _guid, delivery) => {
  const octokit = await delivery.octokit()
  await octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
    owner: repository.owner.login,
    repo: repository.name,
    issue_number: issue.number,
    body: 'Thank you!',
  })
})

export default hooks
`

export const startServer = (options?: LocalGitHubOptions): Promise<LocalGitHub> =>
  startGitHub({ enterprise: true, ...options })

/** A command that has been started. */
interface Started {
  readonly ended: Promise<number | null>
  /** Has the effect of Ctrl-C. */
  interrupt(): void
  /** Ends the command after its test. */
  kill(): void
}

type Start = (args: readonly string[], env: Readonly<Record<string, string>>, options: LocalRun) => Started

/** Starts the built command in the process of the test. It can import and run the handlers of the module. */
const startHere: Start = (args, env, options) => {
  const ended = runHere(args, env, { ...options, importsModule: true })
  const kill = () => {
    const timer = setInterval(interruptHere, 10) // the command may not listen to signals yet
    void ended.finally(() => clearInterval(timer))
  }
  return { ended, interrupt: interruptHere, kill }
}

/** Starts a process, for a test of the whole command, and for a second command in a test. */
export const startProcess: Start = (args, env, { cwd, onOutput }) => {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [main, ...args], { cwd, env: { PATH, HOME, ...compileCache, ...env } })
  for (const name of ['stdout', 'stderr'] as const) child[name].on('data', (chunk) => onOutput(chunk, name))
  return {
    ended: once(child, 'close').then(([code]) => code as number | null),
    interrupt: () => void child.kill('SIGINT'),
    kill: () => void child.kill('SIGKILL'),
  }
}

/** A running command of the group `app`. */
export class AppCommand {
  readonly folder: string
  output = ''
  /** The part of the output that went to stdout. */
  stdout = ''
  readonly ended: Promise<number | null>
  readonly interrupt: () => void
  #hasEnded = false
  readonly #changed = new EventTarget()

  constructor(
    folder: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    start: Start = startHere,
  ) {
    this.folder = folder
    const onOutput = (chunk: Buffer, stream: 'stdout' | 'stderr') => {
      this.output += chunk
      if (stream === 'stdout') this.stdout += chunk
      this.#changed.dispatchEvent(new Event('change'))
    }
    const { ended, interrupt, kill } = start(['app', ...args], env, { cwd: folder, onOutput })
    this.ended = ended
    this.interrupt = interrupt
    void ended.then(() => {
      this.#hasEnded = true
      this.#changed.dispatchEvent(new Event('change'))
    })
    onTestFinished(async () => {
      kill()
      await ended
    })
  }

  /** Waits for a text in the output. @throws if the command ends first. */
  async printed(text: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = text.exec(this.output)
      if (found) return found
      if (this.#hasEnded) throw new Error(`The command ended before it printed ${text}:\n${this.output}`)
      await once(this.#changed, 'change')
    }
  }

  /** The address of the page on loopback. */
  async address(): Promise<string> {
    return (await this.printed(/^ {2}(http:\/\/127\.0\.0\.1:\d+\/[\w-]{43}\/)\n/m))[1] as string
  }

  /** Waits until the command has ended, then reads `.env`. Fails if the output contains a key or secret from `.env`. */
  async result(): Promise<{ code: number | null; output: string }> {
    const code = await this.ended
    for (const [name, value] of Object.entries(this.variables())) {
      if (/KEY|SECRET/.test(name)) expect(this.output).not.toContain(value)
    }
    return { code, output: this.output }
  }

  /** The variables in a file of the folder; none if there is no such file. */
  variables(name = '.env'): Record<string, string | undefined> {
    const path = join(this.folder, name)
    return existsSync(path) ? parseEnv(readFileSync(path, 'utf8')) : {}
  }
}

/** Starts `app create` for the bot, without a browser. */
export function startCreate(github: LocalGitHub, args: readonly string[] = [], files = {}, start?: Start): AppCommand {
  const folder = project({ 'hooks.ts': botModule, ...files })
  return new AppCommand(folder, ['create', '--no-browser', '--github', github.webUrl, ...args], {}, start)
}

/** Starts `app create` in its own process. */
export const startCreateProcess = (github: LocalGitHub, args?: readonly string[], files?: object): AppCommand =>
  startCreate(github, args, files, startProcess)

/** Submits the form on loopback with these changes. @returns the page that sends the manifest to GitHub. */
export async function submitForm(address: string, changes: Record<string, string> = {}): Promise<Response> {
  const form = await (await fetch(address)).text()
  const fields = new URLSearchParams({ ...formFields(form), ...changes })
  for (const [, event = ''] of form.matchAll(/name="event" value="(\w+)" checked/g)) fields.append('event', event)
  const headers = { origin: new URL(address).origin }
  return fetch(`${address}manifest`, { method: 'POST', body: fields, headers })
}

function formFields(form: string): Record<string, string> {
  const [, name = ''] = /name="name" value="([^"]*)"/.exec(form) ?? []
  const chosen = form.matchAll(
    /name="(permission\.\w+)">(?:<option[^>]*>[^<]*<\/option>)*?<option value="(\w+)" selected/g,
  )
  return { name, ...Object.fromEntries([...chosen].map(([, field, level]) => [field, level])) }
}

/** Registers the App on GitHub's page. @returns GitHub's redirect to the loopback address. */
export async function register(github: LocalGitHub, address: string, name?: string): Promise<string> {
  const page = await (await submitForm(address)).text()
  const { action, manifest } = submissionOn(page)
  const shown = await send(action, { manifest })
  const { location } = await click(github, shown, name)
  return location ?? ''
}

/** The form that the page on loopback sends to GitHub. */
export function submissionOn(page: string): { action: string; manifest: string } {
  const unescaped = (text = '') =>
    text.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&amp;', '&')
  return {
    action: unescaped(/<form method="post" action="([^"]*)"/.exec(page)?.[1]),
    manifest: unescaped(/name="manifest" value="([^"]*)"/.exec(page)?.[1]),
  }
}

/** Follows GitHub's redirect to the loopback address. */
export const follow = (location: string): Promise<Response> => fetch(location, { redirect: 'manual' })

/** Installs the App on the account of its owner. */
export async function install(page: string): Promise<void> {
  const { action } = formOf(await (await fetch(page)).text())
  await send(new URL(action ?? '', page).href, { account: 'octocat', selection: 'all' })
}
