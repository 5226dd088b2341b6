/** The adapter contract on the published `hookserver/web`, in the runtimes that it supports. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type LibraryOptions } from 'vite'
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
    const port = /(?:listening on |"port":)(\d+)/.exec(output)?.[1]
    if (port) return port
  }
  throw new Error(`${child.spawnfile} printed no port: ${output}`)
}

async function stopProcess(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

/** Configures workerd: one Worker of these modules, the entry first, on a free port. */
const workerdConfig = (modules: readonly string[]) => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "worker", worker = (compatibilityDate = "2026-01-01", modules = [
    ${modules.map((name) => `(name = "${name}", esModule = embed "${name}")`).join(',\n    ')}
  ]))],
  sockets = [(name = "http", address = "127.0.0.1:0", service = "worker")],
);
`

async function startWorker(): Promise<Runtime> {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-workerd-'))
  const lib = { entry: here('worker.ts'), formats: ['es'], fileName: 'worker' } satisfies LibraryOptions
  await build({ configFile: false, logLevel: 'warn', build: { lib, outDir: folder, emptyOutDir: true } })
  const chunks = readdirSync(folder).filter((name) => name !== 'worker.js')
  writeFileSync(join(folder, 'config.capnp'), workerdConfig(['worker.js', ...chunks]))
  const runtime = await startProcess('workerd', ['serve', join(folder, 'config.capnp'), '--control-fd=1'])
  return { ...runtime, stop: () => runtime.stop().finally(() => rmSync(folder, { recursive: true })) }
}

holdsContract('Bun', () => startProcess('bun', [here('bun.ts')]))
holdsContract('Deno', () => startProcess('deno', ['run', '--allow-net', '--no-prompt', here('deno.ts')]))
holdsContract('workerd', startWorker)
