/**
 * An open inbox does not keep its process alive. Importing `hookserver` or an adapter loads neither `node:sqlite` nor
 * `node:worker_threads`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { inboxFile } from './stores.ts'

const src = new URL('../../src/', import.meta.url)
const from = (file: string) => JSON.stringify(new URL(file, src).href)
/** The built module, which loads in a third of the time. */
const built = (file: string) => JSON.stringify(new URL(`../../dist/${file}`, import.meta.url).href)

/** Runs a module in a process that exits on its own. */
async function run(program: string): Promise<{ code: number; output: string }> {
  const env = { ...process.env, NODE_OPTIONS: '' }
  const args = ['--input-type=module', '-e', program]
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  return { code, output }
}

const withInbox = (path: string, work: string) => `
  import { Hooks } from ${built('index.js')}
  import { sqlite } from ${built('sqlite/index.js')}
  import { inject, signedRequest } from ${built('testing/index.js')}
  const inbox = sqlite(${JSON.stringify(path)})
  const hooks = new Hooks({ secret: 's', validateIp: false, logger: false, inbox })
  ${work}`

describe('a process', () => {
  test('ends if it has only mounted an inbox', async () => {
    const program = withInbox(inboxFile(), "hooks.hook('push', () => {}); hooks.mount(); console.log('mounted')")
    expect(await run(program)).toEqual({ code: 0, output: 'mounted\n' })
  })

  test('ends when its work is done, even though its worker has started', async () => {
    const work = `
      const handled = new Promise((resolve) => hooks.hook('push', resolve))
      const { status } = await inject(hooks, signedRequest('push', { secret: 's' }))
      await handled
      console.log(status)`
    expect(await run(withInbox(inboxFile(), work))).toEqual({ code: 0, output: '202\n' })
  })

  test('ends even though an inbox fails again and again', async () => {
    const work = `
      const fail = async () => { throw new Error('down') }
      const failed = new Promise((resolve) => {
        const answers = { pollInterval: 200, leaseDuration: 1000, clock: Date, registerWorker: async () => 1, claim: async () => [], match: () => (resolve(), fail()) }
        const broken = new Proxy(answers, { get: (target, name) => target[name] ?? fail })
        const other = new Hooks({ secret: 's', logger: false, inbox: broken })
        other.hook('push', () => {})
        other.mount()
      })
      const alive = setInterval(() => {}, 1000)
      await failed
      clearInterval(alive)
      console.log('failed')`
    expect(await run(withInbox(inboxFile(), work))).toEqual({ code: 0, output: 'failed\n' })
  })

  test('ends once it has closed its hooks', async () => {
    const work = `
      hooks.hook('push', () => {})
      await inject(hooks, signedRequest('push', { secret: 's' }))
      await hooks.close()
      console.log('closed')`
    expect(await run(withInbox(inboxFile(), work))).toEqual({ code: 0, output: 'closed\n' })
  })

  test('that only stores gets its reply before it ends', async () => {
    const path = inboxFile()
    const work = (name: string) => `
      const { status } = await inject(hooks, signedRequest('push', { secret: 's', guid: 'g', payload: {} }), { work: false })
      console.log('${name}', status)`
    expect(await run(withInbox(path, work('first')))).toEqual({ code: 0, output: 'first 202\n' })
    expect(await run(withInbox(path, work('second')))).toEqual({ code: 0, output: 'second 200\n' })
  })
})

describe('importing', () => {
  const adapters = readdirSync(new URL('adapters/', src)).map((file) => `adapters/${file}`)
  /** Prints which of the modules of Node.js are loaded after the import of each file. */
  const loaded = (files: readonly string[]) => `
    const loaded = {}
    for (const file of ${JSON.stringify(files)}) {
      await import(new URL(file, ${from('')}))
      const found = process.moduleLoadList.filter((name) => /NativeModule (sqlite|worker_threads)$/.test(name))
      loaded[file] = found.sort()
    }
    console.log(JSON.stringify(loaded))`
  const loadedBy = async (files: readonly string[]) => JSON.parse((await run(loaded(files))).output)

  test('hookserver or an adapter loads neither node:sqlite nor node:worker_threads', async () => {
    const files = ['index.ts', ...adapters]
    expect(await loadedBy(files)).toEqual(Object.fromEntries(files.map((file) => [file, []])))
  })

  test('hookserver/sqlite and the commands load node:sqlite only at its first use', async () => {
    const files = ['sqlite/index.ts', 'cli/program.ts']
    const threads = ['NativeModule worker_threads'] // shows that this test can detect a module
    expect(await loadedBy(files)).toEqual(Object.fromEntries(files.map((file) => [file, threads])))
  })
})
