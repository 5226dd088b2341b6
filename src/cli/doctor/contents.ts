import type { Inbox } from '../../inbox/inbox.ts'
import { counted } from '../printing.ts'
import type { Finding } from './finding.ts'

/** Deliveries whose secret is looked at. */
const looked = 100
const day = 24 * 60 * 60 * 1000

/** Whether an inbox can be written to, and what the deliveries that came say about the settings. */
export async function* checkContents(opening: Promise<Inbox>, name: string): AsyncGenerator<Finding> {
  const what = 'database'
  let inbox: Inbox | undefined
  try {
    inbox = await opening
    await inbox.setValue('doctor', new Date().toISOString())
    const { states } = await inbox.overview()
    const unfinished = states.pending + states.running + states.retrying
    const found = `${name}: ${counted(unfinished, 'delivery', 'deliveries')} to handle, ${states.dead} dead`
    yield { what, state: 'fine', found }
    yield* checkRefusals(inbox)
    yield* checkSecretsInUse(inbox)
  } catch (error) {
    yield { what, state: 'failed', found: (error as Error).message }
  } finally {
    await inbox?.close()
  }
}

/** A proxy that nobody is told to trust makes all deliveries look as if they came from it. */
async function* checkRefusals(inbox: Inbox): AsyncGenerator<Finding> {
  const { latest } = await inbox.rejections()
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
