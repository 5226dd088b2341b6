import type { Command } from 'commander'
import { addSettings, type Flags } from './starting.ts'

export function addServe(program: Command): void {
  const command = program
    .command('serve [module]')
    .summary('receive deliveries, and handle them with a module')
    .description(
      'Receives deliveries, stores them, and has the Hooks handle them that the module exports as "default" or "hooks".\n' +
        'Without a module everything is stored and nothing handled: retry it once you have one.',
    )
  addSettings(command)
  command.addHelpText('after', examples)
  command.action(async (module: string | undefined, flags: Flags) => {
    const { runService } = await import('./service.ts') // no other command should wait until a server is loaded
    await runService(module, flags)
  })
}

const examples = `
A flag counts before its environment variable, in brackets, and that before the module's "export const config".

Examples:
  hookserver serve hooks.ts --dev                     try it on your own machine
  hookserver serve hooks.ts                           in production, the secret in GITHUB_WEBHOOKS_KEY
  hookserver serve --role receiver                    store, and leave the handling to another process:
  hookserver serve hooks.ts --role worker
  hookserver serve hooks.ts --trust-proxy loopback    behind nginx or Caddy on the same machine
  hookserver serve hooks.ts --pull acme/shop          without an address that GitHub reaches`
