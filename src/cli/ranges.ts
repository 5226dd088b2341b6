import type { Command } from 'commander'
import { githubApi } from '../options.ts'
import { AddressSet, parseAddress, parseCidr } from '../receiver/cidr.ts'
import { fetchMeta } from '../receiver/github-meta.ts'
import { UsageError, withCauses } from './errors.ts'
import { jsonLine, printable, printLines } from './printing.ts'
import { addSetting, readConfig, variablesFor } from './starting.ts'

interface Flags {
  apiUrl?: string
  json?: true
}

export function addRanges(program: Command): void {
  const command = program
    .command('ranges [address]')
    .summary("list the addresses of GitHub's webhooks, or look for one among them")
    .description(
      'Lists the ranges of addresses that webhooks come from, by what GitHub says now; or says whether an address is ' +
        'in one of them: exit code 0 if it is, and 1 if it is not. GITHUB_TOKEN is used if it is set: it has a higher rate limit.',
    )
  addSetting(command, 'apiUrl')
  command.option('--json', 'a list of ranges; with an address an object with its range, or null')
  command.addHelpText('after', examples)
  command.action((address: string | undefined, flags: Flags) => ranges(address, flags))
}

const examples = `
Examples:
  hookserver ranges                                   for a firewall, one a line
  hookserver ranges 140.82.115.9 && echo "GitHub's"
  hookserver ranges --api-url https://ghe.example/api/v3`

async function ranges(address: string | undefined, flags: Flags): Promise<void> {
  if (address !== undefined && !parseAddress(address)) {
    throw new UsageError(`Expected an address such as 140.82.115.9 or 2606:50c0::1, got ${JSON.stringify(address)}`)
  }
  const cidrs = await fetchRanges(apiUrlOf(flags))
  if (address === undefined) return void (await printLines(flags.json ? [jsonLine(cidrs)] : cidrs.map(printable)))
  const range = cidrs.find((cidr) => isIn(address, cidr))
  if (range === undefined) process.exitCode = 1
  const told =
    range === undefined ? 'is in none of the ranges of GitHub' : `is in ${printable(range)}, which is GitHub's`
  await printLines([flags.json ? jsonLine({ address, range: range ?? null }) : `${address} ${told}`])
}

function isIn(address: string, text: string): boolean {
  const cidr = parseCidr(text)
  return cidr !== undefined && new AddressSet([cidr]).has(address)
}

function apiUrlOf({ apiUrl }: Flags): string {
  return readConfig({ flags: { apiUrl }, env: variablesFor(['apiUrl']) }).apiUrl.value ?? githubApi
}

/** @throws {Error} with what lies beneath, which a sender would not be told. */
async function fetchRanges(apiUrl: string): Promise<readonly string[]> {
  try {
    const { cidrs, tokenRefused } = await fetchMeta({ apiUrl, token: process.env.GITHUB_TOKEN || undefined }, undefined)
    if (tokenRefused) console.error('GitHub refused GITHUB_TOKEN, and was asked without it')
    return cidrs ?? []
  } catch (error) {
    throw new Error(`${apiUrl}: ${withCauses(error)}`, { cause: error })
  }
}
