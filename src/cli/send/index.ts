import { randomUUID } from 'node:crypto'
import { type Command, Option } from 'commander'
import { type DevServer, findDevServer } from '../../server/config/dev-server.ts'
import { devSecretFile, type FoundSecret, findSigningSecret, firstSecret } from '../../server/config/server-secret.ts'
import { addEnvFileFlags } from '../env-file-flags.ts'
import { UsageError, wholeNumber } from '../flags.ts'
import { abortOnSignal, jsonLine, printable, printLines, showProgress } from '../output.ts'
import { type Change, parseChange, readPayload } from './payload.ts'
import {
  deliveriesOf,
  isAll,
  parseGuid,
  parseHeader,
  parseRate,
  parseUrl,
  preparePayloads,
  signRequest,
} from './requests.ts'

interface Flags {
  to?: URL
  secret?: string
  secretFile?: string
  count?: number
  concurrency?: number
  rate?: number
  set?: readonly Change[]
  header?: Readonly<Record<string, string>>
  sample?: number
  list?: boolean
  file?: string
  guid?: string
  form?: boolean
  duplicate?: boolean
  tamper?: boolean
  unsigned?: boolean
  json?: boolean
}

const defaultUrl = 'http://127.0.0.1:8000/hooks'

/** So high that `--rate` limits the load, and the concurrency does not. */
const defaultConcurrencyWithRate = 100

const parseCount = wholeNumber('--count', 10_000_000)
const parseConcurrency = wholeNumber('--concurrency', 10_000)
const parseSample = wholeNumber('--sample', 1000)
const addChange = (text: string, before: readonly Change[] = []) => [...before, parseChange(text)]

function addHeader(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [name, value] = parseHeader(text)
  return { ...before, [name]: value }
}

export function addSend(program: Command): void {
  const command = program
    .command('send [event[.action]]')
    .summary('Send test deliveries, signed as GitHub signs them')
    .description(
      'Sends a test delivery as GitHub does: a sample payload with all headers and a signature.\n' +
        'The event "*" or "all" sends every sample. --list lists the samples.',
    )
    .option('--to <url>', `URL to send to (default: that of "serve --dev" in this folder, or ${defaultUrl})`, parseUrl)
    .option(
      '--secret <secret>',
      'Secret to sign with (default: that of "serve --dev" in this folder) [GITHUB_WEBHOOKS_KEY]',
    )
    .option('--secret-file <file>', 'File with the secret [HOOKSERVER_SECRET_FILE]')
    .option(
      '--count <n>',
      'Number of deliveries, repeating the samples (default: 1; one per sample with "all")',
      parseCount,
    )
    .option('--concurrency <n>', 'Concurrent requests (default: 1; 100 with --rate)', parseConcurrency)
    .option('--rate <n>', 'Requests per second (default: no limit)', parseRate)
    .option('--file <file>', 'JSON file with the payload; - for standard input (default: a sample)')
    .option('--set <path=value>', 'Change a payload value: a.b.0=value, as JSON or text (repeatable)', addChange)
    .option(
      '--sample <n>',
      'Number of the sample to send, in --list (default: the first one; with --count in turn)',
      parseSample,
    )
    .option('--list', 'List the samples, or those of the event, instead of sending one')
    .option('--header <header>', "Add or replace a header: 'Name: value' (repeatable)", addHeader)
    .option('--guid <guid>', 'GUID of all deliveries (default: a new one for each)', parseGuid)
    .option('--form', 'Send the payload as application/x-www-form-urlencoded')
    .option('--duplicate', 'Send each delivery twice, with the same GUID')
    .option('--tamper', 'Change the body after signing; expects a rejection (4xx)')
    .option('--unsigned', 'Send no signature; expects a rejection (4xx)')
    .option('--json', 'Print one JSON object; with --list, one per line')
    .addOption(new Option('--port <port>').hideHelp().argParser(rejectPort)) // commander would suggest --form
  addEnvFileFlags(command).addHelpText('after', examples).allowExcessArguments().action(send)
}

function rejectPort(): never {
  throw new UsageError('send has no --port: pass the URL of the server with --to')
}

const examples = `
All users of the machine can see the command line: prefer the environment or --secret-file for the secret.

If the server refuses the connection, the command retries until it has run for 4 s, because the server may be starting.
Exits with 0 if every answer is 2xx (with --tamper or --unsigned: 4xx), otherwise with 1.

Examples:
  hookserver send push                                          to "hookserver serve --dev" in the same folder
  hookserver send push --to http://127.0.0.1:9000/api/hooks     to a server that runs elsewhere
  hookserver send issues.opened --set repository.full_name=acme/app --set issue.number=7
  hookserver send push --list                                   the samples of an event
  hookserver send push --sample 3                               the third of them
  hookserver send pull_request.closed --file payload.json       your own payload
  hookserver send push --header 'X-Real-IP: 127.0.0.1'          to a server behind a proxy that sets this header
  hookserver send push --tamper                                 test that wrong signatures are rejected
  hookserver send push --duplicate                              test that a redelivery is handled once
  hookserver send all --to https://hooks.example.com/hooks      every sample
  hookserver send push --count 1000 --concurrency 8             a load test
  hookserver send push --count 600 --rate 10                    10 per second for a minute`

const progressIntervalMs = 100

async function send(name: string | undefined, flags: Flags, { args }: Command): Promise<void> {
  if (args.length > 1) throw new UsageError('send takes one event: put quotes around an argument with white space')
  const { tamper = false, unsigned = false, form = false, header: headers = {}, guid, rate, json } = flags
  if (flags.list) {
    const { listSamples } = await import('./list-samples.ts')
    return listSamples(name, json)
  }
  if (name === undefined) throw new UsageError('send needs an event, such as push or issues.opened. See "send --list".')
  if (tamper && unsigned) throw new UsageError('--tamper and --unsigned cannot be used together: leave one of them out')
  if (flags.sample !== undefined && (flags.file !== undefined || isAll(name))) {
    throw new UsageError('--sample chooses one sample of an event: leave it out with --file and with all events')
  }
  const file = flags.file === undefined ? undefined : await readPayload(flags.file)
  const payloads = preparePayloads(name, { file, changes: flags.set ?? [], number: flags.sample })
  const server = findDevServer()
  const to = flags.to ?? new URL(server?.url ?? defaultUrl)
  const secret = unsigned ? undefined : findSecret(flags, to.href === server?.url ? server : undefined)
  const requests = payloads.map((payload) => signRequest(payload, { secret: secret?.value, form, tamper, headers }))

  // Imported here, because other commands start faster without `node:http`.
  const { Sender, sendAll } = await import('./sender.ts')
  const { answerJson, answerLines, hintsFor, Summary, summaryJson, summaryLines } = await import('./summary.ts')
  const count = flags.count ?? (isAll(name) ? requests.length : 1)
  const times = flags.duplicate ? 2 : 1
  const total = count * times
  const concurrency = Math.min(total, flags.concurrency ?? (rate === undefined ? 1 : defaultConcurrencyWithRate))
  const sender = new Sender(to, concurrency)
  const stop = abortOnSignal()
  stop.addEventListener('abort', () => sender.close())
  const { origin, pathname } = to // the other parts may contain a password or a token
  const summary = new Summary({ to: origin + pathname, total, rate, wanted: tamper || unsigned ? 4 : 2, stop })
  const endProgress = total > 1 ? showProgress(() => summary.progress(), progressIntervalMs, process.stderr) : undefined
  const onlyGuid = total === 1 ? (guid ?? randomUUID()) : undefined
  const deliveries = deliveriesOf(requests, { count, times, guid: onlyGuid ?? guid })
  await sendAll(deliveries, { sender, concurrency, rate, summary, stop })
  sender.close()
  endProgress?.()

  if (json) await printLines([jsonLine(onlyGuid === undefined ? summaryJson(summary) : answerJson(summary, onlyGuid))])
  else await printLines(onlyGuid === undefined ? summaryLines(summary) : answerLines(summary, onlyGuid))
  for (const hint of hintsFor(summary, secret?.source)) console.error(`hookserver: ${printable(hint)}`)
  process.exitCode = summary.ok ? 0 : 1
}

/** The secret to sign with. @throws {UsageError} if there is none. */
function findSecret({ secret, secretFile }: Flags, server: DevServer | undefined): FoundSecret<string> {
  if (secret === '') throw new UsageError('--secret is empty: check the variable that you passed')
  if (secret !== undefined) return { value: secret, source: '--secret' }
  const found = secretFile === undefined ? findSigningSecret(server) : firstSecret(secretFile)
  if (found) return found
  throw new UsageError(
    'No secret to sign with. Set GITHUB_WEBHOOKS_KEY to the secret of the server, pass it with --secret or ' +
      `--secret-file, or run this in the folder of "hookserver serve --dev", which creates ${devSecretFile}. ` +
      'To send no signature, use --unsigned.',
  )
}
