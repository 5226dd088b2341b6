import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'vite'

/**
 * Bundles a Worker into a folder, with a configuration for workerd that serves it on a free port.
 * @param entry The path of a module whose default export has `fetch`.
 * @returns The path of the configuration.
 */
export async function bundleWorker(entry: string, outDir: string): Promise<string> {
  const lib = { entry, formats: ['es' as const], fileName: 'worker' }
  await build({ configFile: false, logLevel: 'warn', build: { lib, outDir, emptyOutDir: true } })
  // workerd starts the first module.
  const modules = readdirSync(outDir).sort((a, b) => Number(b === 'worker.js') - Number(a === 'worker.js'))
  const config = join(outDir, 'config.capnp')
  writeFileSync(config, configOf(modules))
  return config
}

/** The arguments that start workerd. It prints its port as JSON on the standard output. */
export const workerdArgs = (config: string): string[] => ['serve', config, '--control-fd=1']

const configOf = (modules: readonly string[]) => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "worker", worker = (compatibilityDate = "2026-01-01", modules = [
    ${modules.map((name) => `(name = "${name}", esModule = embed "${name}")`).join(',\n    ')}
  ]))],
  sockets = [(name = "http", address = "127.0.0.1:0", service = "worker")],
);
`
