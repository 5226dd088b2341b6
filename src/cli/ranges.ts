import type { Command } from 'commander'
import { AddressSet, parseAddress, parseCidr } from '../receiver/cidr.ts'
import { fetchMeta } from '../receiver/github-meta.ts'
import { githubApi } from '../settings.ts'
import { addConfigFlag, configFromFlags, invalidValue } from './flags.ts'
import { jsonLine, printable, printLines, withCauses } from './output.ts'

interface Flags {
  apiUrl?: string
  json?: true
}

export function addRanges(program: Command): void {
  const command = program
    .command('ranges [address]')
    .summary("List the addresses of GitHub's webhooks, or look one up")
    .description(
      'Lists the address ranges that GitHub sends webhooks from now; or tells whether an address is in one of them: ' +
        'exit code 0 if it is, 1 if it is not. Uses GITHUB_TOKEN if it is set, which has a higher rate limit.',
    )
  addConfigFlag(command, 'apiUrl')
    .option('--json', 'Print a list of ranges; with an address an object with its range, or null')
    .addHelpText('after', examples)
    .action(printRanges)
}

const examples = `
Examples:
  hookserver ranges                                   for a firewall, one per line
  hookserver ranges 140.82.115.9 && echo "GitHub's"
  hookserver ranges --api-url https://ghe.example/api/v3`

async function printRanges(address: string | undefined, flags: Flags): Promise<void> {
  if (address !== undefined && !parseAddress(address)) {
    throw invalidValue('address', 'an address such as 140.82.115.9 or 2606:50c0::1', address)
  }
  const { apiUrl } = configFromFlags(flags, { names: ['apiUrl'] })
  const cidrs = await fetchRanges(apiUrl.value ?? githubApi)
  if (address === undefined) return void (await printLines(flags.json ? [jsonLine(cidrs)] : cidrs.map(printable)))
  const range = cidrs.find((text) => {
    const cidr = parseCidr(text)
    return cidr !== undefined && new AddressSet([cidr]).has(address)
  })
  if (range === undefined) process.exitCode = 1
  const text = range === undefined ? "is in none of GitHub's ranges" : `is in ${printable(range)}, which is GitHub's`
  await printLines([flags.json ? jsonLine({ address, range: range ?? null }) : `${address} ${text}`])
}

/** @throws {Error} with its causes, which the receiver would hide from a sender. */
async function fetchRanges(apiUrl: string): Promise<readonly string[]> {
  try {
    const token = process.env.GITHUB_TOKEN || undefined
    const { cidrs = [], tokenRejected } = await fetchMeta({ apiUrl, token }, undefined)
    if (tokenRejected) console.error('GitHub rejected GITHUB_TOKEN, so its list was fetched without a token')
    return cidrs
  } catch (error) {
    throw new Error(`${apiUrl}: ${withCauses(error)}`, { cause: error })
  }
}
