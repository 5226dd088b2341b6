import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { definitionOf, type Name, type Runtime } from '../contestants.ts'
import { bench } from '../delivery.ts'
import type { MeasuredServer } from '../process.ts'
import { cpuOfTree } from '../process-tree.ts'
import { bundleWorker, workerdArgs } from '../workerd.ts'

const programs: Record<Exclude<Runtime, 'workerd'>, readonly string[]> = {
  Bun: ['bun', pathOf('./bun.ts')],
  Deno: ['deno', 'run', '--allow-net', '--allow-read', '--no-prompt', pathOf('./deno.ts')],
  'Node.js': [process.execPath, pathOf('./node.ts')],
}

/** Starts a handler in the runtime of its contestant. */
export async function startInRuntime(name: Name): Promise<MeasuredServer> {
  const { file, runtime } = definitionOf(name)
  const module = pathOf(`../${file}`)
  if (runtime === 'workerd') return startWorker(module)
  const [command, ...args] = programs[runtime as keyof typeof programs] as [string, ...string[]]
  return startProgram(command, [...args, module])
}

async function startWorker(module: string): Promise<MeasuredServer> {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-bench-'))
  const server = await startProgram('workerd', workerdArgs(await bundleWorker(module, folder)))
  const stop = async () => {
    await server.stop()
    rmSync(folder, { recursive: true })
  }
  return { ...server, stop }
}

async function startProgram(command: string, args: readonly string[]): Promise<MeasuredServer> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const url = `http://127.0.0.1:${await portOf(child)}${bench.path}`
  const stop = async () => {
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
  return { url, usage: async () => ({ cpu: cpuOfTree(child.pid as number) as number }), stop }
}

async function portOf(child: ChildProcess): Promise<string> {
  let output = ''
  for await (const chunk of child.stdout ?? []) {
    output += chunk
    const port = /(?:listening on |"port":)(\d+)/.exec(output)?.[1]
    if (port) return port
  }
  throw new Error(`${child.spawnfile} ended before it listened: ${output}`)
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}
