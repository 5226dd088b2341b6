/** Starts the server of a recipe in the process of the test. */
import { once } from 'node:events'
import type { Server } from 'node:http'
import { expect, onTestFinished, vi } from 'vitest'
import { listen } from '../adapters/host.ts'

/** The server listens on `PORT`, and stops at SIGTERM. @returns its origin. */
export async function startServer(load: () => Promise<{ server: Server }>): Promise<string> {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  onTestFinished(() => log.mockRestore())
  const before = process.listeners('SIGTERM')
  const { server } = await load()
  const [stop] = process.listeners('SIGTERM').filter((listener) => !before.includes(listener))
  expect(stop, 'a listener of SIGTERM').toBeDefined()
  if (!server.listening) await once(server, 'listening')
  onTestFinished(async () => {
    process.off('SIGTERM', stop as NodeJS.SignalsListener)
    await (stop as () => Promise<void>)()
  })
  return listen(server)
}
