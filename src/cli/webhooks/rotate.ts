import type { Command } from 'commander'
import { nameOfTarget } from '../../github/target.ts'
import { planRotation, type Rotation, selectWebhook } from '../../github/webhooks/plan.ts'
import { proofFindings, reasonWithoutPing } from '../../github/webhooks/proof-findings.ts'
import { proveByPing, proveSecret } from '../../github/webhooks/prove-secret.ts'
import type { SecretProof } from '../../github/webhooks/secret-proof.ts'
import { nameOfWebhook, type WebhookDetails } from '../../github/webhooks/webhook-details.ts'
import { type Finding, failed, fine, warning } from '../../runtime/finding.ts'
import { plural } from '../../runtime/format.ts'
import { randomSecret } from '../../server/config/secret-files.ts'
import { type SecretFile, withSecretFile } from '../../server/config/secret-rotation.ts'
import { findingLines } from '../finding-lines.ts'
import { UsageError } from '../flags.ts'
import { jsonLine, printable, printLines } from '../output.ts'
import { confirm, requireConfirmable } from '../prompts.ts'
import { addGitHubFlags, addSettingFlags, type OpenWebhooks, openWebhooks, type WebhookFlags } from './open-webhooks.ts'

interface Flags extends WebhookFlags {
  dropOld?: true
  yes?: true
  dryRun?: true
}

export function addRotate(parent: Command): void {
  const command = parent
    .command('rotate <target>')
    .summary('Replace the secret of a webhook')
    .description(
      'Adds a new secret as the first line of --secret-file, sets it on GitHub, and proves it with a ping.\n' +
        'The server accepts both secrets meanwhile. An interrupted rotation continues when you run this again.',
    )
  addGitHubFlags(addSettingFlags(command, ['secretFile', 'publicUrl']))
    .option('--drop-old', 'Drop the old secrets from the file after the proof')
    .option('--yes', 'Do not ask for confirmation')
    .option('--dry-run', 'Only show the steps')
    .option('--json', 'Print one JSON object')
    .addHelpText('after', explanation)
    .action(rotate)
}

const explanation = `
If several webhooks use one file, rotate each of them before you pass --drop-old.

Examples:
  hookserver webhooks rotate acme/shop#7 --secret-file webhook-secrets
  hookserver webhooks rotate acme/shop#7 --secret-file webhook-secrets --drop-old      some days later`

async function rotate(text: string, flags: Flags): Promise<void> {
  requireConfirmable({ yes: flags.yes ?? flags.dryRun, otherwise: '--dry-run to see the steps' })
  const open = await openWebhooks(text, flags)
  const path = requireSecretFile(open, text)
  await withSecretFile(path, (file) => new RotationRun(open, flags, path, file).run())
}

/** @throws {UsageError} that says how to move the secret into a file. */
function requireSecretFile({ secrets }: OpenWebhooks, text: string): string {
  if (secrets?.file !== undefined) return secrets.file
  const needs = 'A rotation needs a file from which the server reads the old and the new secret. Nothing was changed.'
  if (!secrets) throw new UsageError(`No secret was found. ${needs} Name the file of the server with --secret-file.`)
  const variable = process.env.GITHUB_WEBHOOKS_KEY ? 'GITHUB_WEBHOOKS_KEY' : 'SECRET_KEY'
  throw new UsageError(
    [
      `The secret comes from ${secrets.source}, which has room for one secret. ${needs}`,
      'Move the secret into a file, in this order:',
      `  1. (umask 077; node --env-file-if-exists=.env -p process.env.${variable} > webhook-secrets)`,
      `  2. Remove ${variable} from .env or the environment, and restart the server with --secret-file webhook-secrets`,
      `  3. npx hookserver webhooks rotate ${text} --secret-file webhook-secrets`,
    ].join('\n'),
  )
}

/**
 * The order of the steps matters: the file has the new secret before GitHub has it, and keeps the old one until a ping
 * has proved the new one. So the server accepts the signatures of GitHub after a crash at any step.
 */
class RotationRun {
  readonly #open: OpenWebhooks
  readonly #flags: Flags
  readonly #path: string
  readonly #file: SecretFile

  constructor(open: OpenWebhooks, flags: Flags, path: string, file: SecretFile) {
    this.#open = open
    this.#flags = flags
    this.#path = path
    this.#file = file
  }

  async run(): Promise<void> {
    const { target, api, url } = this.#open
    const { dropOld = false, dryRun, yes, json } = this.#flags
    const { secrets } = this.#file
    const webhook = selectWebhook(await api.list(), target, url)
    if (!webhook) {
      throw new Error(`${nameOfTarget(target)} has no such webhook: create it with npx hookserver webhooks ensure`)
    }
    const before = webhook.hasSecret ? await proveSecret(api, webhook, secrets, !dryRun) : undefined
    const rotation = planRotation(secrets.length, before?.index, dropOld)
    const name = nameOfWebhook(target, webhook)
    if (!json) await printLines([`${name}: ${rotation} the rotation`, ...this.#steps(rotation)])
    if (dryRun || !(await confirm(`Change the secret of ${name}?`, { yes }))) {
      return json ? this.#printJson(name, rotation, false, []) : void (await printLines(['Nothing was changed.']))
    }
    const findings = await this.#rotate(webhook, rotation, before)
    if (json) await this.#printJson(name, rotation, true, findings)
    else await printLines(findings.flatMap(findingLines))
    if (findings.some(({ state }) => state === 'failed')) process.exitCode = 1
  }

  #steps(rotation: Rotation): string[] {
    const old = plural(this.#file.secrets.length - (rotation === 'start' ? 0 : 1), 'old secret')
    const steps = [
      ...(rotation === 'start' ? [`add a new secret as the first line of ${this.#path}`] : []),
      ...(rotation === 'finish' ? [] : ['set the new secret on GitHub, and prove it with a ping']),
      this.#flags.dropOld ? `drop ${old}` : `keep ${old}, until you run this with --drop-old`,
    ]
    return steps.map((step, index) => printable(`  ${index + 1}. ${step}`))
  }

  async #rotate(webhook: WebhookDetails, rotation: Rotation, before: SecretProof | undefined): Promise<Finding[]> {
    const { secrets, write } = this.#file
    if (rotation === 'finish') return before?.receiver === 'accepted' ? this.#drop([]) : this.#keepOld([])
    const all = rotation === 'start' ? [randomSecret(), ...secrets] : secrets
    if (rotation === 'start') write(all)
    try {
      const [secret] = all as [string]
      await this.#open.api.updateConfig(webhook.id, {}, secret)
      const proof = await this.#proveNew(webhook, secret)
      const findings = this.#describe(proof)
      if (proof?.receiver === 'wrong_signature') return [...findings, await this.#rollBack(webhook, before)]
      if (!this.#flags.dropOld) return findings
      const isProved = proof?.signedWith === 'our secret' && proof.receiver === 'accepted'
      return isProved ? this.#drop(findings, secret) : this.#keepOld(findings)
    } catch (error) {
      const safe = `${this.#path} has the old and the new secret, so the server accepts both. Run this again to continue`
      throw new Error(`${(error as Error).message}. ${safe}`, { cause: error })
    }
  }

  /** Pings again if the server rejects the signature, because the server may not have read the changed file yet. */
  async #proveNew(webhook: WebhookDetails, secret: string): Promise<SecretProof | undefined> {
    const { api } = this.#open
    let proof = await proveByPing(api, webhook, [secret])
    for (let tries = 1; tries < maxPings && proof?.receiver === 'wrong_signature'; tries++) {
      await api.pause(rereadMs)
      proof = await proveByPing(api, webhook, [secret])
    }
    return proof
  }

  #describe(proof: SecretProof | undefined): Finding[] {
    const secrets = {
      values: this.#file.secrets.slice(0, 1),
      source: `the first line of ${this.#path}`,
      file: this.#path,
    }
    const { target } = this.#open
    const repair = `check it later: npx hookserver webhooks check ${nameOfTarget(target)} --secret-file ${this.#path}`
    return proofFindings(proof, { secrets, repair, withoutProof: reasonWithoutPing(target), now: Date.now() })
  }

  /** Sets the old secret on GitHub again, because the receiver accepts the old one. Fails if the old one is unknown. */
  async #rollBack(webhook: WebhookDetails, before: SecretProof | undefined): Promise<Finding> {
    const what = 'rollback'
    const old = before?.index === undefined ? undefined : this.#file.secrets[before.index]
    const cure = `restart the server with --secret-file ${this.#path}, and run this again`
    if (old === undefined) return failed(what, 'not possible, because the secret that GitHub had is unknown', cure)
    await this.#open.api.updateConfig(webhook.id, {}, old)
    return failed(what, 'GitHub signs with the old secret again, because the server did not accept the new one', cure)
  }

  #drop(findings: readonly Finding[], newest: string = this.#file.secrets[0] as string): Finding[] {
    this.#file.write([newest])
    return [...findings, fine('old', `dropped: ${this.#path} has only the new secret`)]
  }

  #keepOld(findings: readonly Finding[]): Finding[] {
    const cure = 'run this with --drop-old again when the receiver accepts pings'
    return [...findings, warning('old', 'kept, because no ping proved the new secret', cure)]
  }

  async #printJson(webhook: string, rotation: Rotation, applied: boolean, findings: readonly Finding[]): Promise<void> {
    await printLines([jsonLine({ webhook, rotation, applied, findings })])
  }
}

const maxPings = 2
const rereadMs = 3000
