/** The adapter contract on the published `hookserver/web`, in the runtimes that it supports. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { type Selection, selectCases } from '../adapters/host.ts'
import { type Program, startProgram } from './program.ts'
import { bundleWorker, workerdArgs } from './workerd.ts'

type Server = Pick<Program, 'origin' | 'stop'>

interface Runtime {
  name: string
  start(): Promise<Server>
  /** The names of raw requests that do not reach hookserver as the contract expects. */
  leftOut?: readonly string[]
}

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url))

async function startWorker(): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-workerd-'))
  const args = workerdArgs(await bundleWorker(here('worker.ts'), folder))
  const server = await startProgram('workerd', args, { stderr: 'ignore' }) // it prints each request that is not HTTP
  return { ...server, stop: () => server.stop().finally(() => rmSync(folder, { recursive: true })) }
}

// The HTTP servers of Bun and workerd differ from the others before hookserver gets the request.
export const runtimes: readonly Runtime[] = [
  { name: 'Bun', start: () => startProgram('bun', [here('bun.ts')]), leftOut: ['trailers', 'pipelining'] },
  { name: 'Deno', start: () => startProgram('deno', ['run', '--allow-net', '--no-prompt', here('deno.ts')]) },
  {
    name: 'workerd',
    start: startWorker,
    leftOut: [
      'a request target in absolute form',
      'chunks with extensions',
      'white space around values',
      'Content-Length next to Transfer-Encoding',
      'a target with a space',
      'an unknown version',
    ],
  },
]

/** Runs the selected cases of the adapter contract that apply to the runtime. */
export function holdsRuntimeContract({ name, start, leftOut = [] }: Runtime, selection: Selection): void {
  describe(`the adapter contract, hookserver/web in ${name}`, () => {
    let server: Server
    beforeAll(async () => {
      server = await start()
    })
    afterAll(() => server.stop())
    const ids = leftOut.map((request) => `raw: ${request}`)
    const cases = selectCases(selection).filter(({ id }) => !ids.includes(id))
    test.each(cases)('$name', ({ run }) => run(server))
  })
}
