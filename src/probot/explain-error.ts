import type { WebhookEvent } from './context.ts'
import type { Logger } from './log.ts'

/** Logs the errors of a delivery, and how to fix wrong credentials. */
export function explainError({ errors, event }: { errors: unknown[]; event: WebhookEvent }, log: Logger): void {
  for (const err of errors) {
    const text = String((err as Error)?.message).toLowerCase()
    const cure = cures.find(({ pattern }) => pattern.test(text))?.cure
    const fields = { err, event: event.name, id: event.id }
    log.error(fields, cure ?? `A handler for ${event.name} failed: ${(err as Error)?.message ?? err}`)
  }
}

const cures = [
  {
    pattern: /x-hub-signature-256|signature does not match/,
    cure: "The signature is wrong: check that the App's webhook secret on GitHub is the value of GITHUB_WEBHOOKS_KEY, else WEBHOOK_SECRET",
  },
  {
    pattern: /\bpem\b|json web token|pkcs/,
    cure: 'GitHub does not accept the key of the App: check GITHUB_APP_ID or APP_ID, and the private key, or create a new private key on GitHub',
  },
]
