/** A route as in docs/guides/frameworks/web.md. A hot reload imports it again, and runs it from the start. */
import { Hooks } from '../src/hooks.ts'
import { sqlite } from '../src/sqlite/index.ts'

interface Kept {
  /** The file of the inbox, from the test. */
  file: string
  imports?: number
  hooks?: Hooks
}

const running = globalThis as unknown as { hotReload: Kept }
const kept = running.hotReload
const version = (kept.imports = (kept.imports ?? 0) + 1)

export const hooks = new Hooks({ secret: 'a secret', logger: false, inbox: sqlite(kept.file) })
hooks.on('push', { name: 'deploy' }, () => `version ${version}`)
hooks.mount()

void kept.hooks?.close()
kept.hooks = hooks
