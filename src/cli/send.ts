import type { Command } from 'commander'
import { UsageError } from './errors.ts'
import { jsonLine, printable, printLines } from './printing.ts'
import { isAll } from './send/choosing.ts'
import { deliver, prepare, wrap } from './send/deliveries.ts'
import { asGuid, asRate, asTarget, shown, wholeNumber } from './send/flags.ts'
import { run } from './send/load.ts'
import { readPayload } from './send/payload-file.ts'
import { showProgress } from './send/progress.ts'
import { answerJson, answerLines, type Sending, summaryJson, summaryLines } from './send/report.ts'
import { type Outcome, type Outgoing, Sender } from './send/sender.ts'
import { type Change, parseChange } from './send/set-path.ts'
import { findSigningSecret, type SigningSecret } from './send/signing-secret.ts'
import { InboxOverview } from './send/tally.ts'

interface Flags {
  to: URL
  secret?: string
  count?: number
  concurrency?: number
  rate?: number
  set?: readonly Change[]
  file?: string
  guid?: string
  form?: boolean
  duplicate?: boolean
  tamper?: boolean
  unsigned?: boolean
  json?: boolean
}

interface Sent {
  request: Outgoing
  outcome?: Outcome
}

/** How many may be under way where only `--rate` was given: it should be the rate that decides. */
const connectionsOfRate = 100

export function addSend(program: Command): void {
  program
    .command('send <event[.action]>')
    .summary('send deliveries as GitHub does: one to try, or a load')
    .description(
      'Sends a delivery as GitHub does, of a real payload, signed and with all its headers.\n' +
        'The event "*" or "all" stands for every sample there is.',
    )
    .option('--to <url>', 'where to', asTarget, asTarget('http://127.0.0.1:8000/hooks'))
    .option('--secret <secret>', 'to sign with [GITHUB_WEBHOOKS_KEY, SECRET_KEY, .hookserver/secret]')
    .option('--count <n>', 'how many deliveries, going round the samples (default: 1)', asCount)
    .option('--concurrency <n>', 'how many under way at once (default: 1; 100 with --rate)', asConcurrency)
    .option('--rate <n>', 'how many requests to begin a second, evenly spread (default: as many as possible)', asRate)
    .option('--file <file>', 'a payload from a JSON file, in place of a sample; - for standard input')
    .option('--set <path=value>', 'change the payload: a.b.0=value, JSON or text (repeatable)', addChange)
    .option('--guid <guid>', 'X-GitHub-Delivery of all deliveries (default: a new one each)', asGuid)
    .option('--form', "as application/x-www-form-urlencoded, GitHub's other content type")
    .option('--duplicate', 'send each twice, with the same GUID')
    .option('--tamper', 'change the body after signing; a refusal (4xx) is success')
    .option('--unsigned', 'send no signature; a refusal (4xx) is success')
    .option('--json', 'print one JSON object')
    .addHelpText('after', examples)
    // Commander names what it has no use for. That may be a secret that has white space, or a flag's typing error.
    .allowExcessArguments()
    .configureOutput({ outputError: (text, write) => write(text.replace(/('--[^'=]*)=.*'/s, "$1'")) })
    .action((name: string, flags: Flags, { args }: Command) => {
      if (args.length > 1) throw new UsageError('send takes one event; quote what has white space in it')
      return send(name, flags)
    })
}

const examples = `
A secret on the command line is seen by all users of the machine: better set it in the environment.

Where nothing listens yet, it tries for 3 s: a server may just be starting.
Ends with 0 if every request was answered 2xx (with --tamper or --unsigned: 4xx), else with 1.

Examples:
  hookserver send push                                          to "hookserver serve --dev", from the same folder
  hookserver send issues.opened --set repository.full_name=acme/app --set issue.number=7
  hookserver send pull_request.closed --file payload.json       a payload of your own
  hookserver send push --tamper                                 is a wrong signature refused?
  hookserver send push --duplicate                              is a redelivery handled once?
  hookserver send all --to https://hooks.example.com/hooks      every sample there is
  hookserver send push --count 10000 --concurrency 32           as fast as the server answers
  hookserver send push --count 6000 --rate 100                  for a minute`

const asCount = wholeNumber('--count', 10_000_000)
const asConcurrency = wholeNumber('--concurrency', 10_000)
const addChange = (text: string, before: readonly Change[] = []) => [...before, parseChange(text)]

async function send(name: string, flags: Flags): Promise<void> {
  const { to, tamper = false, unsigned = false, form = false, guid } = flags
  if (tamper && unsigned) throw new UsageError('--tamper changes what was signed: leave out --unsigned')
  const secret = unsigned ? undefined : findSigningSecret(flags.secret, process.env)
  const written = flags.file === undefined ? undefined : await readPayload(flags.file)
  const requests = prepare(name, written, flags.set ?? []).map((one) =>
    wrap(one, { secret: secret?.value, form, tamper }),
  )

  const count = flags.count ?? (isAll(name) ? requests.length : 1)
  const times = flags.duplicate ? 2 : 1
  const total = count * times
  const rate = flags.rate
  const concurrency = Math.min(total, flags.concurrency ?? (rate === undefined ? 1 : connectionsOfRate))
  const sender = new Sender(to, concurrency)
  const stop = stopOnSignal(() => sender.close())
  const tally = new InboxOverview()
  const endProgress = total > 1 ? showProgress(tally, total, process.stderr) : () => {}
  let last: Sent | undefined
  const sendOne = async (request: Outgoing) => {
    const sent: Sent = (last = { request })
    return (sent.outcome = await sender.send(request))
  }
  await run(deliver(requests, { count, times, guid }), sendOne, { concurrency, rate }, tally, stop)
  sender.close()
  endProgress()

  const wanted = tamper || unsigned ? 4 : 2
  const asWanted = [...tally.statuses.keys()].every((status) => Math.floor(status / 100) === wanted)
  const ok = asWanted && tally.answered === total
  const sending: Sending = { to: shown(to), wanted, ok, rate, interrupted: stop.aborted }
  await printLines(reportLines(total === 1 ? last : undefined, tally, sending, flags.json === true))
  for (const hint of hints(tally, sending, secret)) console.error(`hookserver: ${printable(hint)}`)
  process.exitCode = ok ? 0 : 1
}

/** Told to stop, it does so and says what was reached; told twice, the process ends as others do. */
function stopOnSignal(onStop: () => void): AbortSignal {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  stop.signal.addEventListener('abort', onStop)
  return stop.signal
}

function reportLines(only: Sent | undefined, tally: InboxOverview, sending: Sending, json: boolean): string[] {
  const guid = only?.request.headers['x-github-delivery'] ?? ''
  const outcome = only?.outcome
  if (json) return [jsonLine(only ? answerJson(outcome, guid, sending) : summaryJson(tally, sending))]
  if (!only) return summaryLines(tally, sending)
  return outcome && 'status' in outcome ? answerLines(outcome, guid, sending.ok) : []
}

/** Sentences that name a cure. */
function* hints(tally: InboxOverview, { to, ok, rate, interrupted }: Sending, secret: SigningSecret | undefined) {
  if (tally.refused) yield `Nothing listens at ${to}. Is "hookserver serve" running? --to sends elsewhere.`
  else for (const failure of tally.failures.keys()) yield `${to}: ${failure}`
  if (tally.statuses.has(404)) yield 'There is nothing of that path: "hookserver serve" receives at /hooks. See --to.'
  if (!ok && secret && [400, 401, 403].some((status) => tally.statuses.has(status)))
    yield `Signed with the secret from ${secret.source}: does the server have the same?`
  if (rate !== undefined && !interrupted && tally.rate(true) < 0.95 * rate && tally.sent > 1)
    yield `The rate of ${rate} a second was not reached: the server or --concurrency is too small for it.`
}
