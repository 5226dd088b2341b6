import type { Command } from 'commander'
import type { Swept } from '../../github/sweeper.ts'
import { jsonLine, printable, printLines, terminalWidth } from '../printing.ts'
import { addWhereabouts, openRemote } from '../whereabouts.ts'
import { addSweepFlags, type Flags, refuseForRemote } from './flags.ts'
import { openSweep, type Sweeping } from './local.ts'
import { showProgress } from './progress.ts'
import { reportLines } from './report.ts'

export function addRecover(program: Command): void {
  const command = program
    .command('recover [hooks...]')
    .summary('fetch what GitHub sent and did not come in')
    .description(
      'Looks through what GitHub sent to webhooks, and has it send again what is not in the database; the server that it ' +
        'delivers to must be running. Hooks are acme/shop#7 (with its id), acme/shop or acme (those that deliver to ' +
        '--url) and app (that of the App); without any they are those of HOOKSERVER_RECOVER, or of the module.',
    )
    .option('--dry-run', 'only show what is missing')
  addSweepFlags(command)
  addWhereabouts(command)
  command.option('--json', 'one JSON object with reports and gaps; times are in milliseconds since 1970')
  command.addHelpText('after', explanation)
  command.action((hooks: readonly string[], flags: Flags) => recover(hooks, flags))
}

const explanation = `
GitHub is asked with GITHUB_TOKEN, whose permission is "Webhooks", read and write, or as the App of GITHUB_APP_ID and
GITHUB_APP_PRIVATE_KEY. It keeps deliveries for 3 days, an Enterprise Server for 7. What was sent before the database was
made is not looked at. Which events are handled is the module's to say: without --module and --events all of them count.
A path of the server's that is not /hooks is the module's to say as well, or HOOKSERVER_URL's.

A server far away (--admin-url) looks through the hooks of its own --recover.

Ends with 0 if every hook was looked through and all was asked for, else with 1.

Examples:
  hookserver recover acme/shop#7 --dry-run                       what is missing?
  hookserver recover acme/shop#7                                 fetch it
  hookserver recover acme --url https://hooks.example/hooks      the organization's hooks that deliver there
  hookserver recover acme/shop#7 --module hooks.ts               only what hooks.ts handles
  hookserver recover acme/shop#7 --lookback 2h --include-ok      what GitHub shows as delivered, too
  hookserver recover --admin-url https://hooks.example --admin-token-file ./token`

async function recover(hooks: readonly string[], flags: Flags): Promise<void> {
  const { operator, sweep, stopped } = await openSweeping(hooks, flags)
  const endProgress = showProgress(operator, process.stderr)
  let swept: Swept
  try {
    swept = await sweep({ dryRun: flags.dryRun === true, thorough: true })
  } finally {
    endProgress()
    await operator.close()
  }
  await printLines(flags.json ? [jsonLine(swept)] : reportLines(swept, terminalWidth(), Date.now()))
  if (stopped()) console.error('hookserver: Stopped before it came to its end')
  for (const { target, error } of swept.reports) {
    if (error !== undefined && !stopped()) console.error(`hookserver: ${target}: ${printable(error)}`)
  }
  if (stopped() || swept.reports.some(({ error }) => error !== undefined)) process.exitCode = 1
}

async function openSweeping(hooks: readonly string[], flags: Flags): Promise<Sweeping> {
  const remote = openRemote(flags)
  if (!remote) return openSweep(hooks, flags)
  refuseForRemote(hooks, flags)
  return { operator: remote, sweep: (options) => remote.recover(options), stopped: () => false }
}
