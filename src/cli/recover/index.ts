import type { Command } from 'commander'
import type { SweepOptions } from '../../github/recovery/options.ts'
import { auditResultOf, type SweepReport, type Swept } from '../../github/recovery/sweeper.ts'
import { type MissedDelivery, type MissedDeliveryState, missedDeliveryStates } from '../../inbox/missed-deliveries.ts'
import { newAuditEntry } from '../../inbox/new-audit-entry.ts'
import { optionsOf } from '../../internals.ts'
import { formatAge } from '../../runtime/format.ts'
import { type HooksModule, loadWithConfig } from '../../server/config/hooks-module.ts'
import { configuredApiUrl, moduleInbox } from '../../server/config/server-options.ts'
import { openRecovery } from '../../server/github.ts'
import { resolveOptions } from '../../settings.ts'
import type { AdminClient } from '../admin-client.ts'
import { commandLineActor } from '../command-line-actor.ts'
import { addConnectionFlags, openLocal, openRemote, UsageError } from '../flags.ts'
import {
  abortOnSignal,
  eventName,
  jsonLine,
  printable,
  printLines,
  showProgress,
  stateStyles,
  terminalWidth,
} from '../output.ts'
import { type Column, Table } from '../table.ts'
import { addSweepFlags, rejectSweepFlags, type SweepFlags, sweepConfig } from './sweep-flags.ts'

export function addRecover(program: Command): void {
  const command = program
    .command('recover [targets...]')
    .summary('Recover missed deliveries from GitHub')
    .description(
      "Compares GitHub's delivery log with the database, and asks GitHub to redeliver the missed deliveries. The server " +
        'that receives them must be running. With --mode pull, the command reads and stores them itself. Name webhooks as ' +
        'acme/shop#7 (by id), acme/shop or acme (the webhooks that deliver to --public-url), or app (the webhook of your GitHub ' +
        'App). Default: HOOKSERVER_RECOVER, or "recover" of the module.',
    )
    .option('--dry-run', 'Only list the missed deliveries')
  const json = 'Print one JSON object with reports and missedDeliveries; times in milliseconds since 1970'
  addConnectionFlags(addSweepFlags(command)).option('--json', json).addHelpText('after', explanation).action(recover)
}

const explanation = `
Credentials: GITHUB_TOKEN with the permission "Webhooks" (read and write), or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY.
GitHub keeps deliveries for 3 days, Enterprise Server for 7. Deliveries older than the database are ignored.
Without --module and --events, all events are recovered, because only the module knows which events it handles.
The server stores deliveries under its path: if that is not /hooks, set HOOKSERVER_PATH or pass the module.

With --server, the remote server sweeps the webhooks of its own --recover.

Exits with 0 if the sweep of every webhook ended without an error, otherwise with 1.

Examples:
  hookserver recover acme/shop#7 --dry-run                       list the missed deliveries
  hookserver recover acme/shop#7                                 recover them
  hookserver recover acme --public-url https://hooks.example/hooks      webhooks of acme that deliver to this URL
  hookserver recover acme/shop#7 --module hooks.ts               only events that hooks.ts handles
  hookserver recover acme/shop#7 --lookback 2h --include-ok      also deliveries that GitHub shows as delivered
  hookserver recover --server https://hooks.example --admin-token-file ./token`

const progressIntervalMs = 1000

async function recover(targets: readonly string[], flags: SweepFlags): Promise<void> {
  const { client, run, isStopped } = await openSweep(targets, flags)
  const startedAt = performance.now()
  const progress = async () => {
    const { missed, requested, received } = (await client.overview()).missedDeliveries
    const seconds = Math.round((performance.now() - startedAt) / 1000)
    return `Sweeping, ${seconds} s: ${missed} missed, ${requested} requested, ${received} received`
  }
  const endProgress = showProgress(progress, progressIntervalMs, process.stderr)
  let swept: Swept
  try {
    swept = await run({ dryRun: flags.dryRun === true, thorough: true })
  } finally {
    endProgress()
    await client.close()
  }
  await printLines(flags.json ? [jsonLine(swept)] : reportLines(swept, terminalWidth(), Date.now()))
  if (isStopped()) console.error('hookserver: The sweep was stopped before it was complete')
  for (const report of swept.reports) {
    const { error } = report
    if (error !== undefined && !isStopped()) console.error(printable(`hookserver: ${nameOf(report)}: ${error}`))
  }
  if (isStopped() || swept.reports.some(({ error }) => error !== undefined)) process.exitCode = 1
}

async function openSweep(targets: readonly string[], flags: SweepFlags): Promise<Sweep> {
  const remote = openRemote(flags)
  if (!remote) return openLocalSweep(targets, flags)
  rejectSweepFlags(targets, flags)
  return { client: remote, run: (options) => remote.recover(options), isStopped: () => false }
}

/** A recovery sweep, by this process or by a remote server. */
interface Sweep {
  client: Pick<AdminClient, 'overview' | 'close'>
  run(options: SweepOptions): Promise<Swept>
  isStopped(): boolean
}

/** A sweep by this process. @throws {UsageError} @throws {ConfigError} */
async function openLocalSweep(targets: readonly string[], flags: SweepFlags): Promise<Sweep> {
  const configOf = (loaded?: HooksModule | 'pending') => sweepConfig(targets, flags, loaded)
  // Without a module, the sweep needs no secret.
  const { module, config } =
    flags.module === undefined
      ? { module: undefined, config: configOf() }
      : await loadWithConfig(flags.module, configOf)
  if (config.recover.value === undefined) throw new UsageError(noHooks)
  const inbox = moduleInbox(config, module?.hooks) ?? (await openLocal(config))
  try {
    const { path, githubToken } = config
    const own = { path: path.value, apiUrl: configuredApiUrl(config), token: githubToken.value, logger: false as const }
    // Without a module, every event is recovered.
    const given = module ? optionsOf(module.hooks) : { withoutHandlers: 'ignore' as const }
    const settings = resolveOptions(given, own)
    const recovery = openRecovery({ config, settings, inbox }, module?.hooks.registrations ?? [])
    const stop = abortOnSignal()
    stop.addEventListener('abort', () => void recovery?.stop())
    const run: Sweep['run'] = async (options) => {
      const swept = await recovery?.sweep(options, { isSingle: true })
      if (swept) {
        const result = options.dryRun ? undefined : auditResultOf(swept.reports)
        if (result) await inbox.recordAction(newAuditEntry(commandLineActor(), 'recover', result.target), result)
        return swept
      }
      throw new Error(
        'A recovery sweep is already running for this inbox, perhaps in a server with --recover: try again in a minute',
      )
    }
    return { client: inbox, run, isStopped: () => stop.aborted }
  } catch (error) {
    await inbox.close()
    throw error
  }
}

const noHooks = 'Name a webhook, such as acme/shop#7. Its id is at the end of the URL of its settings page on GitHub.'

/**
 * A line for each missed delivery that the inbox has not received, then a line for each webhook. A webhook has no line
 * if its sweep failed before it found a delivery in the log.
 */
function reportLines({ reports, missedDeliveries }: Swept, width: number, now: number): string[] {
  const rows = reports.filter(({ error, sent }) => error === undefined || sent > 0).map(hookRow)
  const summary = rows.length > 0 ? new Table(hookColumns, width).lines(rows) : []
  const missing = missedDeliveries.filter(({ state }) => state !== 'received')
  if (missing.length === 0) return summary
  const left = sumOf(reports.map(missingIn)) - missing.length
  missing.sort((a, b) => b.deliveredAt - a.deliveredAt)
  const table = new Table(deliveryColumns, width).lines(missing.map((missed) => deliveryRow(missed, now)))
  if (left > 0) table.push(`… and ${left} more`)
  return summary.length > 0 ? [...table, '', ...summary] : table
}

const missingIn = ({ counts: { received: _, ...others } }: SweepReport): number => sumOf(Object.values(others))

const sumOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0)

const deliveryColumns: readonly Column[] = [
  { title: 'AGE' },
  { title: 'EVENT', minWidth: 8 },
  { title: 'HOOK', minWidth: 8 },
  { title: 'GITHUB SAYS', minWidth: 8 },
  { title: 'HERE', style: (text) => stateStyles[text as MissedDeliveryState] },
  { title: 'KEPT FOR' },
  { title: 'GUID', minWidth: 8 },
]

function deliveryRow(missed: MissedDelivery, now: number): string[] {
  const { target, hookId, guid, status, state, ...times } = missed
  const age = formatAge(times.deliveredAt, now)
  const kept = times.expiresAt > now ? formatAge(now, times.expiresAt) : 'expired'
  return [age, eventName(missed), `${target}#${hookId}`, status, state, kept, guid].map(printable)
}

const hookColumns: readonly Column[] = [
  { title: 'HOOK', minWidth: 8 },
  { title: 'SENT' },
  ...missedDeliveryStates.map((state) => ({ title: state.toUpperCase(), minWidth: 6 })),
  ...['UNHANDLED', 'CALLS'].map((title) => ({ title })),
]

function hookRow(report: SweepReport): string[] {
  const { sent, counts, unhandled, calls } = report
  const cells = [sent, ...missedDeliveryStates.map((state) => counts[state]), unhandled, calls]
  return [nameOf(report), ...cells.map(String)].map(printable)
}

const nameOf = ({ target, hookId }: SweepReport): string => (hookId === undefined ? target : `${target}#${hookId}`)
