import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { silentAddress, withStatus } from './probe.ts'
import { type EarlierReport, parseReport } from './report.ts'
import type { Step } from './step.ts'
import { steps } from './steps/index.ts'

/** All flags, with the help of each. `parseArgs` ignores the members that it does not know. */
const flags = {
  repository: { type: 'string', placeholder: '<owner/name>', help: 'Scratch repository that gets webhooks' },
  'api-url': {
    type: 'string',
    placeholder: '<url>',
    default: 'https://api.github.com',
    help: 'API, for example of an Enterprise Server',
  },
  'answering-url': { type: 'string', placeholder: '<url>', help: 'Receiver that answers with the status in {status}' },
  'refusing-url': { type: 'string', placeholder: '<url>', help: 'Address of yours with a closed port' },
  'bad-tls-url': { type: 'string', placeholder: '<url>', help: 'Receiver with an invalid certificate' },
  'slow-url': {
    type: 'string',
    placeholder: '<url>',
    default: silentAddress,
    help: 'Receiver that answers too late, or never',
  },
  'manifest-address': {
    type: 'string',
    placeholder: '<result>',
    help: 'Result of manifest-address: accepted or rejected',
  },
  'old-attempt': {
    type: 'string',
    placeholder: '<hook/delivery>',
    help: 'Ids of an attempt that GitHub no longer keeps',
  },
  only: { type: 'string', multiple: true, placeholder: '<step,...>', help: 'Steps to run, instead of all' },
  wait: { type: 'string', default: '300', placeholder: '<seconds>', help: 'Longest wait for an attempt in the log' },
  large: { type: 'boolean', help: 'Also push commits that make a payload of 24 MiB' },
  local: { type: 'boolean', help: 'Ask a local GitHub, which needs no token and no other flag' },
  json: { type: 'boolean', help: 'Print the report as JSON' },
  compare: { type: 'string', placeholder: '<file>', help: 'Print the differences from an earlier report in JSON' },
  help: { type: 'boolean', short: 'h', help: 'Print this help' },
} as const

export function helpText(): string {
  const flagRows = Object.entries(flags).map(([name, flag]): readonly [string, string] => {
    const text = 'default' in flag ? `${flag.help} (default: ${flag.default})` : flag.help
    return [`--${name}${'placeholder' in flag ? ` ${flag.placeholder}` : ''}`, text]
  })
  const stepRows = steps.map(({ name, question }): readonly [string, string] => [name, question])
  const width = Math.max(...[...flagRows, ...stepRows].map(([name]) => name.length))
  const list = (rows: typeof flagRows) => rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`).join('\n')
  return `Usage: npm run probe:github -- --repository <owner/name> [flags]
       npm run probe:github -- --local [flags]

Asks GitHub how it behaves where its documentation does not say, and prints the answers. The probe
creates webhooks in a scratch repository, pings them and deletes them. Do not run two probes in one
repository at the same time: the second deletes the webhooks of the first.

The token in GITHUB_TOKEN needs the permissions "Webhooks: write" and "Contents: read" for the
repository, and with --large also "Contents: write". A classic token needs the scopes admin:repo_hook
and repo.

Flags:
${list(flagRows)}

Steps:
${list(stepRows)}

Examples:
  export GITHUB_TOKEN=...
  npm run --silent probe:github -- --repository octo/scratch --json > github.json
  npm run --silent probe:github -- --local --compare github.json

The exit code is 0 if all went well. It is 1 if a step failed, the probe could not delete all that it
created, or the reports differ. It is 2 if a flag is wrong.
`
}

export interface Flags {
  help: boolean
  local: boolean
  json: boolean
  large: boolean
  repository: string | undefined
  apiUrl: string
  receivers: Record<'answering' | 'refusing' | 'badTls' | 'slow', string | undefined>
  manifestAddress: 'accepted' | 'rejected' | undefined
  oldAttempt: { hook: string; delivery: string } | undefined
  /** In milliseconds. */
  maxWait: number
  steps: readonly Step[]
  earlier: EarlierReport | undefined
}

/** @throws {Error} if a flag is wrong. */
export function readFlags(args: string[]): Flags {
  const { values } = parseArgs({ args, options: flags })
  const { help = false, local = false, json = false, large = false, repository, compare, wait } = values
  if (!help && !local && !repository) throw new Error('--repository is missing: pass a scratch repository, or --local')
  if (repository !== undefined && !/^[\w.-]+\/[\w.-]+$/.test(repository))
    throw new Error(`--repository must be "owner/name", got "${repository}"`)
  if (!(Number(wait) > 0)) throw new Error(`--wait must be a number of seconds, got "${wait}"`)
  return {
    ...{ help, local, json, large, repository },
    apiUrl: apiUrlOf(values['api-url']),
    receivers: {
      answering: receiverUrl('--answering-url', values['answering-url']),
      refusing: receiverUrl('--refusing-url', values['refusing-url']),
      badTls: receiverUrl('--bad-tls-url', values['bad-tls-url']),
      slow: receiverUrl('--slow-url', values['slow-url']),
    },
    manifestAddress: manifestAddressOf(values['manifest-address']),
    oldAttempt: oldAttemptOf(values['old-attempt']),
    maxWait: Number(wait) * 1000,
    steps: stepsNamed(values.only),
    earlier: compare === undefined ? undefined : readReport(compare),
  }
}

/** The token goes to this address, so only a server on this machine may be asked without TLS. */
function apiUrlOf(text: string): string {
  const url = URL.parse(text)
  const isLoopback = url?.hostname === '127.0.0.1' || url?.hostname === 'localhost' || url?.hostname === '[::1]'
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback)) return text.replace(/\/+$/, '')
  throw new Error('--api-url must begin with https://')
}

/** The message does not repeat the URL, because its query may contain a token. */
function receiverUrl(flag: string, text: string | undefined): string | undefined {
  if (text === undefined || /^https?:$/.test(URL.parse(withStatus(text, 200))?.protocol ?? '')) return text
  throw new Error(`${flag} must begin with https:// or http://`)
}

function manifestAddressOf(text: string | undefined): Flags['manifestAddress'] {
  if (text === undefined || text === 'accepted' || text === 'rejected') return text
  throw new Error(`--manifest-address must be "accepted" or "rejected", got "${text}"`)
}

function oldAttemptOf(text: string | undefined): Flags['oldAttempt'] {
  if (text === undefined) return undefined
  const [, hook, delivery] = /^(\d+)\/(\d+)$/.exec(text) ?? []
  if (hook === undefined || delivery === undefined)
    throw new Error(`--old-attempt must be the ids of a webhook and a delivery, such as 1/2, got "${text}"`)
  return { hook, delivery }
}

function stepsNamed(lists: readonly string[] | undefined): readonly Step[] {
  if (!lists) return steps
  const names = lists.flatMap((list) => list.split(','))
  const unknown = names.find((name) => !steps.some((step) => step.name === name))
  if (unknown !== undefined)
    throw new Error(`There is no step "${unknown}". The steps are: ${steps.map(({ name }) => name).join(', ')}`)
  return steps.filter(({ name }) => names.includes(name))
}

function readReport(file: string): EarlierReport {
  try {
    return parseReport(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Error(`Cannot read ${file}: ${(error as Error).message}`)
  }
}

/** @throws {Error} if the variable has no token. The message never has the value. */
export function tokenFrom({ GITHUB_TOKEN: token = '' }: NodeJS.ProcessEnv): string {
  if (token === '') throw new Error('GITHUB_TOKEN is missing: set it to a token for the repository, or pass --local')
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Error('GITHUB_TOKEN has characters that no token has')
  return token
}
