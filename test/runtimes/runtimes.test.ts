/** `hookserver/web` as it is published, in the runtimes it is for, under the same contract as everywhere. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Miniflare } from 'miniflare'
import { build } from 'rolldown'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { adapterContract, type ContractCase } from '../../src/testing/index.ts'

interface Runtime {
  origin: string
  stop(): Promise<unknown>
}

function holdsContract(name: string, start: () => Promise<Runtime>, leftOut: readonly string[] = []): void {
  describe(`the adapter contract, hookserver/web in ${name}`, () => {
    let runtime: Runtime
    beforeAll(async () => {
      runtime = await start()
    })
    afterAll(() => runtime.stop())
    const applies = ({ id }: ContractCase) => !leftOut.includes(id)
    test.each(adapterContract.filter(applies))('$name', ({ run }) => run(runtime))
  })
}

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url))

async function startProcess(command: string, args: string[]): Promise<Runtime> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  return { origin: `http://127.0.0.1:${await portOf(child)}`, stop: () => stopProcess(child) }
}

async function portOf(child: ChildProcess): Promise<string> {
  let output = ''
  for await (const chunk of child.stdout ?? []) {
    output += chunk
    const port = /listening on (\d+)/.exec(output)?.[1]
    if (port) return port
  }
  throw new Error(`No port in what ${child.spawnfile} printed: ${output}`)
}

async function stopProcess(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

async function startWorker(): Promise<Runtime> {
  const { output } = await build({ input: here('worker.ts'), write: false, output: { format: 'esm' } })
  const chunks = output.filter((one) => one.type === 'chunk')
  const miniflare = new Miniflare({
    modules: chunks.map(({ fileName, code }) => ({ type: 'ESModule', path: fileName, contents: code })),
    compatibilityDate: '2026-01-01',
    host: '127.0.0.1',
    port: 0,
  })
  return { origin: (await miniflare.ready).origin, stop: () => miniflare.dispose() }
}

holdsContract('Bun', () => startProcess('bun', [here('bun.ts')]))
holdsContract('Deno', () => startProcess('deno', ['run', '--allow-net', '--no-prompt', here('deno.ts')]))
holdsContract('workerd', startWorker)
