import { existsSync, statfsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Inbox } from '../../inbox/inbox.ts'
import type { Config } from '../../server/config.ts'
import { openToLook } from '../../server/inbox.ts'
import { counted } from '../printing.ts'
import type { Finding } from './finding.ts'

/** Bytes of a disk that is nearly full. */
const scarce = 2 ** 30
/** Deliveries whose secret is looked at. */
const looked = 100
const day = 24 * 60 * 60 * 1000

/** Whether deliveries could be stored, and what those that came say about the settings. */
export async function* checkDatabase(config: Config): AsyncGenerator<Finding> {
  const what = 'database'
  const path = resolve(config.database.value)
  const isNew = !existsSync(path)
  if (isNew && !existsSync(dirname(path))) {
    yield { what, state: 'fine', found: `${path} and its folder will be made` }
    return
  }
  if (isNew) yield { what, state: 'fine', found: `${path} will be made` }
  else {
    let inbox: Inbox | undefined
    try {
      inbox = openToLook(config)
      await inbox.remember('doctor', new Date().toISOString())
      const { states } = await inbox.tally()
      const unfinished = states.pending + states.running + states.waiting
      const found = `${path}: ${counted(unfinished, 'delivery', 'deliveries')} to handle, ${states.dead} dead`
      yield { what, state: 'fine', found }
      yield* checkRefusals(inbox)
      yield* checkSecretsInUse(inbox)
    } catch (error) {
      yield { what, state: 'failed', found: (error as Error).message }
    } finally {
      await inbox?.close()
    }
  }
  const { bavail, bsize } = statfsSync(dirname(path))
  if (bavail * bsize > scarce) return
  const found = `${Math.round((bavail * bsize) / 2 ** 20)} MiB are left on its disk`
  yield { what, state: 'doubtful', found, cure: 'make room, or bound the file with --max-size' }
}

/** A proxy that nobody is told to trust makes all deliveries look as if they came from it. */
async function* checkRefusals(inbox: Inbox): AsyncGenerator<Finding> {
  const { latest } = await inbox.refusals()
  const recent = latest.filter(({ at }) => at > Date.now() - day)
  const byCode = Map.groupBy(recent, ({ code }) => code)
  const origins = byCode.get('forbidden_origin') ?? []
  const behindProxy = origins.find(({ reason }) => reason?.includes('trustProxy'))
  if (behindProxy) {
    const found = `${counted(origins.length, 'request')} of the last day came through ${behindProxy.address}, which nobody trusts`
    yield { what: 'proxy', state: 'failed', found, cure: `if it is your proxy: --trust-proxy ${behindProxy.address}` }
  }
  const wrong = byCode.get('wrong_signature') ?? []
  if (wrong.length === 0) return
  const cure = 'compare the secret with that on GitHub; the log says more'
  yield {
    what: 'secret',
    state: 'doubtful',
    found: `${counted(wrong.length, 'wrong signature')} in the last day`,
    cure,
  }
}

async function* checkSecretsInUse(inbox: Inbox): AsyncGenerator<Finding> {
  const { deliveries } = await inbox.list({ since: Date.now() - day, limit: looked })
  const details = await Promise.all(deliveries.map(({ id }) => inbox.get(id)))
  const old = details.filter((detail) => (detail?.secretIndex ?? 0) > 0)
  if (old.length === 0) return
  const found = `an old one signed ${old.length} of the last ${counted(deliveries.length, 'delivery', 'deliveries')}`
  yield {
    what: 'secret',
    state: 'doubtful',
    found,
    cure: 'enter the new one on GitHub before you take the old one out',
  }
}
