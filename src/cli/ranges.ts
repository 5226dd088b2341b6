import type { Command } from 'commander'
import { fetchMeta } from '../receiver/github-meta.ts'
import { AddressSet, parseAddress, parseCidr } from '../runtime/cidr.ts'
import { githubAddresses } from '../server/config/server-options.ts'
import { rules } from '../settings.ts'
import { addEnvFileFlags } from './env-file-flags.ts'
import { addConfigFlag, configFromFlags, invalidValue } from './flags.ts'
import { jsonLine, printable, printLines, withCauses } from './output.ts'

interface Flags {
  github?: string
  apiUrl?: string
  json?: true
}

export function addRanges(program: Command): void {
  const command = program
    .command('ranges [address]')
    .summary("List the address ranges of GitHub's webhooks, or look up an address")
    .description(
      'Lists the address ranges that GitHub sends webhooks from. With an address, shows the range that contains it, ' +
        'and exits with 1 if there is none. ' +
        'Set GITHUB_TOKEN (HOOKSERVER_GITHUB_TOKEN with --github) for a higher rate limit.',
    )
  addEnvFileFlags(addConfigFlag(addConfigFlag(command, 'github'), 'apiUrl'))
    .option('--json', 'Print a JSON list of ranges, or an object with the range of the address')
    .addHelpText('after', examples)
    .action(printRanges)
}

const examples = `
Examples:
  hookserver ranges                                   one range per line, for a firewall
  hookserver ranges 140.82.115.9 && echo "GitHub's"
  hookserver ranges --github https://ghe.example`

async function printRanges(address: string | undefined, flags: Flags): Promise<void> {
  if (address !== undefined && !parseAddress(address)) {
    throw invalidValue('address', 'an IP address such as 140.82.115.9 or 2606:50c0::1', address)
  }
  const config = configFromFlags(flags, { names: ['github', 'apiUrl', 'githubToken'] })
  const { apiUrl } = githubAddresses(config)
  const token = config.githubToken.value ?? rules.token.computed?.({ apiUrl })
  const cidrs = await fetchRanges(apiUrl, token)
  if (address === undefined) return void (await printLines(flags.json ? [jsonLine(cidrs)] : cidrs.map(printable)))
  const range = cidrs.find((text) => {
    const cidr = parseCidr(text)
    return cidr !== undefined && new AddressSet([cidr]).has(address)
  })
  if (range === undefined) process.exitCode = 1
  const text = range === undefined ? "is not in GitHub's ranges" : `is in GitHub's range ${printable(range)}`
  await printLines([flags.json ? jsonLine({ address, range: range ?? null }) : `${address} ${text}`])
}

/**
 * @throws {Error} whose message includes the causes. A receiver hides the causes from the sender of a request. Here,
 * only the user of the command sees the message.
 */
async function fetchRanges(apiUrl: string, token: string | undefined): Promise<readonly string[]> {
  try {
    const { cidrs = [], tokenRejected } = await fetchMeta({ apiUrl, token }, undefined)
    if (tokenRejected) console.error('hookserver: GitHub rejected the token, so the ranges were fetched without it')
    return cidrs
  } catch (error) {
    throw new Error(`Cannot fetch the ranges from ${apiUrl}: ${withCauses(error)}`, { cause: error })
  }
}
