/**
 * Runs `hookserver serve` in the process of the test. The start and the end of a server in its own process take 350 ms of
 * CPU, and in the process of the test 20 ms, or 120 ms with a module.
 */
import { createRequire } from 'node:module'
import { onTestFinished } from 'vitest'
import * as sources from '../../src/telemetry/opentelemetry/index.ts'
import { hookserver, interruptHere, runHere } from '../cli/command.ts'
import { freePorts, Served, withSecret } from './service.ts'

const require = createRequire(import.meta.url)
const built = () => require('../../dist/telemetry/opentelemetry/index.js') as typeof sources

/** A server on free ports. A test can run only one at a time, and no other command beside it. */
export class ServedHere extends Served {
  readonly ended: Promise<number>

  constructor(folder: string, args: readonly string[], env: Record<string, string> = {}) {
    super()
    let incomplete = ''
    const onOutput = (chunk: Buffer) => {
      const lines = `${incomplete}${chunk}`.split('\n')
      incomplete = lines.pop() ?? ''
      for (const line of lines) this.read(line)
    }
    this.ended = runHere(['serve', ...freePorts, ...args], env, { cwd: folder, onOutput }).finally(stopTracing)
    onTestFinished(async () => void (await this.stop()))
  }

  /** Stops the server as Ctrl-C does. @returns the exit code. */
  async stop(): Promise<number> {
    const timer = setInterval(interruptHere, 10) // the server may not listen to signals yet
    return this.ended.finally(() => clearInterval(timer))
  }
}

/** The exit code and the output of a server that does not start. */
export async function startError(
  folder: string,
  args: readonly string[],
  env: Record<string, string> = withSecret,
): Promise<string> {
  const { code, stdout, stderr } = await hookserver(['serve', ...freePorts, ...args], env, { cwd: folder })
  stopTracing()
  return `${code}: ${stdout}${stderr}`
}

/** A server traces all deliveries of its process, as long as the process lives. */
function stopTracing(): void {
  for (const { traceHooks } of [sources, built()]) traceHooks()()
}
