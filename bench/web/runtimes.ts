import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProgram } from '../../test/runtimes/program.ts'
import { bundleWorker, workerdArgs } from '../../test/runtimes/workerd.ts'
import { definitionOf, type Name, type Runtime } from '../contestants.ts'
import { bench } from '../delivery.ts'
import type { MeasuredServer } from '../process.ts'
import { cpuOfTree } from '../process-tree.ts'

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
  return start(command, [...args, module])
}

async function startWorker(module: string): Promise<MeasuredServer> {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-bench-'))
  const server = await start('workerd', workerdArgs(await bundleWorker(module, folder)))
  const stop = async () => {
    await server.stop()
    rmSync(folder, { recursive: true })
  }
  return { ...server, stop }
}

async function start(command: string, args: readonly string[]): Promise<MeasuredServer> {
  const { pid, origin, stop } = await startProgram(command, args)
  return { url: `${origin}${bench.path}`, usage: async () => ({ cpu: cpuOfTree(pid) as number }), stop }
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}
