import { existsSync } from 'node:fs'
import { stdin } from 'node:process'
import type { Command } from 'commander'
import { type AppOptions, readApp } from '../../app.ts'
import {
  type AppDetails,
  type AppWebhook,
  readAppDetails,
  readAppWebhook,
  settingsPage,
} from '../../github/app/details.ts'
import { readSecrets } from '../../server/config/secret-files.ts'
import { UsageError } from '../flags.ts'
import { abortOnSignal, jsonLine, printable, printLines, printProgress } from '../output.ts'
import { askHidden } from '../prompts.ts'
import { assertNoApp, checkCanWriteApp, variablesFor, writeApp } from './app-variables.ts'
import { addOutputFlags, addressesFrom, type OutputFlags, problemOf, readOutput, requesterFor } from './connection.ts'

interface Flags extends OutputFlags {
  id: string
  privateKey: string
  secretFile?: string
  dryRun?: true
  json?: true
}

export function addImport(parent: Command): void {
  const command = parent
    .command('import')
    .summary('Write the key and the secret of an existing GitHub App to a file')
    .description(
      'Checks the key of an existing GitHub App with the API, and writes it to a file for the other commands.',
    )
    .requiredOption('--id <id>', 'App ID or client ID, from the page of the App')
    .requiredOption('--private-key <file>', 'PEM file with a private key of the App')
    .option('--secret-file <file>', "File with the secret of the App's webhook (default: a prompt)")
    .option('--dry-run', 'Only check the key')
    .option('--json', 'Print one JSON object')
  addOutputFlags(command).addHelpText('after', examples).action(importApp)
}

const examples = `
All users of the machine can see the command line, so the key and the secret are not flags.

Examples:
  hookserver app import --id 123456 --private-key bot.pem
  hookserver app import --id 123456 --private-key bot.pem --secret-file ./secret --output bot.env`

async function importApp(flags: Flags): Promise<void> {
  const { output, dryRun = false, json } = flags
  assertNoApp(output)
  readOutput(flags)
  if (!dryRun) checkCanWriteApp(output)
  const { github, apiUrl, variables } = addressesFrom(flags)
  const given = readKey(flags)
  const requester = requesterFor(given, apiUrl, abortOnSignal())
  const [app, hook] = await readBoth().catch((error: unknown) => {
    throw new Error(`${problemOf(error)}. ${output} was not changed`, { cause: error })
  })
  const described = `${app.name} (id ${app.id}) of ${app.owner.login}`
  await printProgress([printable(`GitHub accepts the key of the App ${described}`)], json)
  if (dryRun) {
    await printProgress([`Dry run: ${output} was not changed.`], json)
    return printJson(false)
  }
  const webhookSecret = await readSecret(flags.secretFile)
  const values = { id: app.id, clientId: app.clientId, clientSecret: undefined, privateKey: given.privateKey }
  await writeApp(output, () => ({ variables: { ...variablesFor({ ...values, webhookSecret }), ...variables } }))
  const lines = [`Wrote the id, the key and the secret to ${output}`, ...secretLines(hook, settingsPage(github, app))]
  await printProgress(lines, json)
  await printJson(true)

  async function printJson(written: boolean): Promise<void> {
    const { id, name, owner } = app
    if (json) await printLines([jsonLine({ app: { id, name, owner: owner.login }, output, written })])
  }

  async function readBoth(): Promise<[AppDetails, AppWebhook]> {
    return [await readAppDetails(requester), await readAppWebhook(requester)]
  }
}

/** What to do next about the secret. GitHub never shows a secret, so only a delivery can show that it is right. */
function secretLines({ url, hasSecret }: AppWebhook, page: string): string[] {
  if (url === undefined) return [`The App has no webhook: activate one on ${page}`]
  if (!hasSecret) return [`The webhook of the App has no secret. Open ${page} and enter the secret that is in the file`]
  return [
    'GitHub does not show the secret of the webhook. To see whether the server accepts the next delivery, run ' +
      '"npx hookserver app status"',
  ]
}

function readKey({ id, privateKey }: Flags): AppOptions {
  if (privateKey.includes('-----BEGIN')) {
    throw new UsageError(
      '--private-key: expected the path of a PEM file, not the key itself. Your shell may have saved the key in its ' +
        'history: generate a new key on GitHub',
    )
  }
  if (!existsSync(privateKey)) throw new UsageError('--private-key: there is no such file')
  try {
    return readApp({ id: /^\d+$/.test(id) ? Number(id) : id, privateKey })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

async function readSecret(file: string | undefined): Promise<string> {
  if (file !== undefined) return readSecrets(file)[0] as string
  if (!stdin.isTTY) throw new UsageError('Cannot ask for the secret without a terminal: pass --secret-file')
  const secret = await askHidden("Secret of the App's webhook (your input is not shown): ")
  if (secret !== '') return secret
  throw new Error('No secret was entered. Nothing was changed.')
}
