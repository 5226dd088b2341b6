import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { adapterContract, type ContractCase, type ContractMount, contractMounts } from '../../src/testing/index.ts'

/**
 * Runs the adapter contract against the server that `start` creates from the mounts of the contract.
 * @param samples Whether to send all sample payloads, which takes a second. One application for each adapter gets them.
 */
export function holdsAdapterContract(
  title: string,
  start: (mounts: ContractMount[]) => Server | Promise<Server>,
  {
    applies = () => true,
    samples = true,
    ...options
  }: { applies?: (one: ContractCase) => boolean; samples?: boolean } & Parameters<typeof contractMounts>[0] = {},
): void {
  describe(`the adapter contract, ${title}`, () => {
    const host = { origin: '' }
    let server: Server
    beforeAll(async () => {
      server = await start(contractMounts(options))
      host.origin = await listen(server)
    })
    afterAll(() => stop(server))
    const cases = adapterContract.filter((one) => applies(one) && (samples || one.id !== 'every-sample'))
    test.each(cases)('$name', ({ run }) => run(host))
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
