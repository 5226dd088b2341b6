import type { Command } from 'commander'
import { addConfigFlags, type ConfigFlags } from '../config-flags.ts'
import { jsonLine, printLines } from '../output.ts'
import { diagnose } from './diagnose.ts'
import { findingLines } from './finding.ts'

export function addDoctor(program: Command): void {
  const command = program
    .command('doctor [module]')
    .summary('Check whether a server can receive and handle deliveries')
    .description(
      'Checks everything that a server needs, with the settings that it would use, and says how to fix problems.',
    )
    .option('--json', 'Print a JSON object per line')
  addConfigFlags(command)
  command.addHelpText('after', examples)
  command.action(async (module: string | undefined, { json, ...flags }: ConfigFlags & { json?: true }) => {
    let failed = false
    for await (const finding of diagnose(module, flags)) {
      failed ||= finding.state === 'failed'
      await printLines(json ? [jsonLine(finding)] : findingLines(finding))
    }
    if (failed) process.exitCode = 1
  })
}

const examples = `
Pass the flags that you pass to "hookserver serve". Exits with 1 if a check fails.

Examples:
  hookserver doctor hooks.ts
  hookserver doctor hooks.ts --database /var/lib/hooks/hookserver.db --trust-proxy loopback`
