/** The adapter contract on the published `hookserver/web`, in the runtimes that it supports. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { adapterContract, type ContractCase } from '../../src/testing/index.ts'
import { type Program, startProgram } from './program.ts'
import { bundleWorker, workerdArgs } from './workerd.ts'

type Runtime = Pick<Program, 'origin' | 'stop'>

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

async function startWorker(): Promise<Runtime> {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-workerd-'))
  const args = workerdArgs(await bundleWorker(here('worker.ts'), folder))
  const runtime = await startProgram('workerd', args, { stderr: 'ignore' }) // it prints each request that is not HTTP
  return { ...runtime, stop: () => runtime.stop().finally(() => rmSync(folder, { recursive: true })) }
}

// The HTTP servers of Bun and workerd differ from the others before hookserver gets the request.
const ofBun = ['raw: trailers', 'raw: pipelining']
const ofWorkerd = ['a request target in absolute form', 'chunks with extensions', 'white space around values'].concat(
  'Content-Length next to Transfer-Encoding',
  'a target with a space',
  'an unknown version',
)

holdsContract('Bun', () => startProgram('bun', [here('bun.ts')]), ofBun)
holdsContract('Deno', () => startProgram('deno', ['run', '--allow-net', '--no-prompt', here('deno.ts')]))
holdsContract(
  'workerd',
  startWorker,
  ofWorkerd.map((name) => `raw: ${name}`),
)
