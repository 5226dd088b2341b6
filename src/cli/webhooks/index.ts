import type { Command } from 'commander'
import { addCheck } from './check.ts'
import { addDelete } from './delete.ts'
import { addEnsure } from './ensure.ts'
import { addListWebhooks } from './list.ts'
import { addRotate } from './rotate.ts'

/** @param helpCommand The usage and the description of the subcommand `help`. */
export function addWebhooks(program: Command, helpCommand: readonly [string, string]): void {
  const webhooks = program
    .command('webhooks')
    .helpCommand(...helpCommand)
    .summary('Create, check, rotate and delete webhooks on GitHub')
    .description(
      'Creates, checks and changes webhooks on GitHub. Name them as acme/shop#7 (by id), acme/shop or acme (the webhook ' +
        'that delivers to --public-url), or app (the webhook of your GitHub App).',
    )
  for (const add of [addEnsure, addListWebhooks, addCheck, addRotate, addDelete]) add(webhooks)
  webhooks.addHelpText('after', notes)
}

const notes = `
Credentials: GITHUB_TOKEN with the permission "Webhooks" (read and write), or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY.

Examples:
  hookserver webhooks ensure acme/shop --public-url https://hooks.example/hooks --module hooks.ts
  hookserver webhooks check acme/shop --public-url https://hooks.example/hooks
  hookserver webhooks <command> --help      show the details and examples of a command`
