import { lastSweep, type Recovery } from '../../github/recovery.ts'
import type { SweepOptions, Swept } from '../../github/sweeper.ts'
import { Unanswerable } from '../problem.ts'
import { readJson } from './json-body.ts'
import { audit, type Operated } from './operated.ts'
import type { Route } from './route.ts'
import { answer, body, problems } from './schemas.ts'
import { slowJson } from './slow-json.ts'

/** Gaps in one answer. */
const most = 1000

/** What GitHub sent and did not come in, and what becomes of it. */
export function recovery(operated: Operated): Route[] {
  const { inbox } = operated
  return [
    {
      method: 'get',
      path: '/recovery',
      operation: {
        operationId: 'getRecovery',
        summary: 'What GitHub sent and did not come in, and what became of it',
        responses: { 200: answer('Recovery') },
      },
      async answer(context) {
        const [{ gaps: counts }, gaps, last] = [await inbox.overview(), await inbox.gaps(), await lastSweep(inbox)]
        return context.json({ counts, gaps: gaps.slice(0, most), last })
      },
    },
    {
      method: 'post',
      path: '/recovery',
      operation: {
        operationId: 'recover',
        summary: 'Look for what did not come in, and fetch it, now',
        requestBody: body('SweepOptions', false),
        responses: { 200: answer('Swept'), ...problems(400, 409, 413, 415) },
      },
      async answer(context) {
        const options = optionsIn(await readJson(context, ['dryRun', 'thorough']))
        const swept = sweep(recoveryIn(operated), options).then(({ reports, gaps }) => {
          const what = reports.map(({ target }) => target)
          if (!options.dryRun) audit(operated, context, { act: 'recover', what })
          return { reports, gaps: gaps.slice(0, most) }
        })
        return slowJson(context, swept)
      },
    },
  ]
}

/** @throws {Unanswerable} */
function optionsIn(given: Readonly<Record<string, unknown>>): SweepOptions {
  const faults = Object.keys(given).filter((name) => typeof given[name] !== 'boolean')
  if (faults.length > 0) throw Unanswerable.because(faults.map((name) => ({ name, expected: 'true or false' })))
  return given
}

/** @throws {Unanswerable} */
async function sweep(recovery: Recovery, options: SweepOptions): Promise<Swept> {
  const swept = await recovery.sweep(options)
  if (swept) return swept
  throw new Unanswerable('not_applicable', 'Another process, or this one, is at it already')
}

function recoveryIn({ recovery }: Operated): Recovery {
  if (recovery) return recovery
  const cure = 'start a server that handles with --recover, such as --recover acme/shop'
  throw new Unanswerable('not_applicable', `This process recovers nothing: ${cure}`)
}
