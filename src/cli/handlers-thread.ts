/** The program of the thread that reads the handlers of a module: see `module-handlers.ts`. */
import { parentPort, workerData } from 'node:worker_threads'
import { optionsOf } from '../internals.ts'
import { isObject } from '../runtime/json.ts'
import { eventNamesOf, loadModule } from '../server/config/hooks-module.ts'
import type { ModuleError } from '../server/config/module-error.ts'
import { configFromFlags } from './flags.ts'
import type { ModuleHandlers, ThreadAnswer } from './module-handlers.ts'

async function read(path: string): Promise<ModuleHandlers> {
  const module = await loadModule(path)
  const { hooks, config } = module
  const names = eventNamesOf(module)
  const permissions = isObject(config) ? config.permissions : undefined
  return {
    names: [...new Set(names)],
    permissions: JSON.parse(JSON.stringify(permissions ?? null)) ?? undefined,
    path: configFromFlags({}, { names: ['path'], module }).path.value ?? optionsOf(hooks).path ?? '/hooks',
  }
}

const answer: ThreadAnswer = await read(workerData as string).then(
  (handlers) => ({ handlers }),
  ({ message, trace }: Error & Partial<ModuleError>) => ({ problem: { message, trace } }),
)
parentPort?.postMessage(answer)
