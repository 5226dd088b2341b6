import type { Command } from 'commander'
import { diagnose } from './doctor/diagnose.ts'
import type { Finding } from './doctor/finding.ts'
import { jsonLine, print, printable, printLines, styled } from './printing.ts'
import { addSettings, type Flags } from './starting.ts'

export function addDoctor(program: Command): void {
  const command = program
    .command('doctor [module]')
    .summary('find out what would keep deliveries from being received or handled')
    .description('Looks at all that a server needs, with the settings that it would have, and says how to mend it.')
    .option('--json', 'a JSON object a line')
  addSettings(command)
  command.addHelpText('after', examples)
  command.action(async (module: string | undefined, { json, ...flags }: Flags & { json?: true }) => {
    let failed = false
    for await (const finding of diagnose(module, flags)) {
      failed ||= finding.state === 'failed'
      await (json ? print(`${jsonLine(finding)}\n`) : printLines(linesOf(finding)))
    }
    if (failed) process.exitCode = 1
  })
}

const examples = `
Give it what you give to "hookserver serve". It ends with 1 if something is broken.

Examples:
  hookserver doctor hooks.ts
  hookserver doctor hooks.ts --database /var/lib/hooks/hookserver.db --trust-proxy loopback`

const looks = { fine: ['green', '✓ '], doubtful: ['yellow', '! '], failed: ['red', '✗ '] } as const

function linesOf({ what, state, found, cure }: Finding): string[] {
  const [colour, mark] = looks[state]
  const line = `${styled(colour, mark)}${what.padEnd(10)} ${printable(found)}`
  return cure === undefined ? [line] : [line, `${' '.repeat(13)}${styled('bold', '→')} ${printable(cure)}`]
}
