import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { adapterContract, type ContractCase, type ContractMount } from '../../src/testing/index.ts'

/** A server with all mounts of the adapter contract, in one framework or behind one service. */
export interface Application {
  title: string
  start(mounts: ContractMount[]): Server | Promise<Server>
  /** Whether a case applies to this application. Default: every case does. */
  applies?(one: ContractCase): boolean
  /** Whether `samples.campaign.ts` sends all sample payloads to it. One application for each adapter gets them. */
  samples?: boolean
  /** Options for every mount. */
  options?: Parameters<typeof adapterContract.mounts>[0]
}

/** The case that sends all sample payloads takes a second of CPU. */
const isSamplesCase = ({ id }: ContractCase) => id === 'every-sample'

const selections = {
  'all cases': () => true,
  'without samples': (one: ContractCase) => !isSamplesCase(one),
  'only samples': isSamplesCase,
}

export type Selection = keyof typeof selections

/** The selected cases of the adapter contract. */
export const selectCases = (selection: Selection): ContractCase[] => adapterContract.cases.filter(selections[selection])

/** Runs the selected cases of the adapter contract that apply to the application. */
export function holdsAdapterContract(
  { title, start, applies = () => true, options = {} }: Application,
  selection: Selection = 'without samples',
): void {
  describe(`the adapter contract, ${title}`, () => {
    const host = { origin: '' }
    let server: Server
    beforeAll(async () => {
      server = await start(adapterContract.mounts(options))
      host.origin = await listen(server)
    })
    afterAll(() => stop(server))
    test.each(selectCases(selection).filter(applies))('$name', ({ run }) => run(host))
  })
}

/** Listens on a free port of the loopback interface. */
export async function listen(server: Server): Promise<string> {
  if (!server.listening) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  }
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export async function stop(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}

/** Serves `listener` while `work` runs. */
export async function serving<T>(listener: RequestListener | Server, work: (origin: string) => Promise<T>): Promise<T> {
  const server = typeof listener === 'function' ? createServer(listener) : listener
  try {
    return await work(await listen(server))
  } finally {
    await stop(server)
  }
}
