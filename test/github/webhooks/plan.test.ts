import { describe, expect, test } from 'vitest'
import type { LoggedAttempt } from '../../../src/github/delivery-log.ts'
import { planWebhook, selectWebhook } from '../../../src/github/webhooks/plan.ts'
import type { SecretProof } from '../../../src/github/webhooks/secret-proof.ts'
import type { WebhookDetails } from '../../../src/github/webhooks/webhook-details.ts'

const url = 'https://hooks.example/hooks'
const webhook: WebhookDetails = {
  ...{ id: '7', url, events: ['issues', 'push'], active: true, contentType: 'json', verifiesTls: true },
  ...{ hasSecret: true, lastResponse: undefined },
}
const wanted = { url, events: ['push', 'issues'], secretSource: 'the file secrets' }
const delivery = { id: '1' } as LoggedAttempt
const proved: SecretProof = { signedWith: 'our secret', index: 0, receiver: 'accepted', delivery }
const other: SecretProof = { signedWith: 'unknown', index: undefined, receiver: 'wrong_signature', delivery }

describe('a plan', () => {
  test('creates a webhook that does not exist', () => {
    expect(planWebhook(undefined, wanted, undefined)).toMatchObject({
      action: 'create',
      settings: { url, events: ['push', 'issues'], active: true, contentType: 'json', verifiesTls: true },
      changes: [
        { property: 'url', from: undefined, to: url },
        { property: 'events', to: 'issues, push' },
        { property: 'active', to: 'yes' },
        { property: 'content type', to: 'json' },
        { property: 'TLS checks', to: 'on' },
        { property: 'secret', to: 'from the file secrets' },
      ],
    })
  })

  test('changes nothing if the webhook has the wanted settings', () => {
    expect(planWebhook(webhook, wanted, proved)).toMatchObject({ action: 'keep', changes: [] })
    expect(planWebhook(webhook, { ...wanted, events: undefined }, proved).action).toBe('keep')
    expect(planWebhook({ ...webhook, url: 'https://HOOKS.example:443/hooks' }, wanted, proved).action).toBe('keep')
    expect(planWebhook({ ...webhook, id: undefined, active: undefined }, wanted, proved).action).toBe('keep')
  })

  test.each<[string, Partial<WebhookDetails>, SecretProof | undefined, object]>([
    ['an event', { events: ['push'] }, proved, { property: 'events', from: 'push', to: 'issues, push' }],
    ['an inactive webhook', { active: false }, proved, { property: 'active', from: 'no', to: 'yes' }],
    ['the content type', { contentType: 'form' }, proved, { property: 'content type', from: 'form', to: 'json' }],
    ['the TLS checks', { verifiesTls: false }, proved, { property: 'TLS checks', from: 'off', to: 'on' }],
    ['a missing secret', { hasSecret: false }, undefined, { property: 'secret', from: 'none' }],
    ['a secret that drifted', {}, other, { property: 'secret', from: expect.stringContaining('not one of yours') }],
    ['a secret without proof', {}, undefined, { property: 'secret', from: expect.stringContaining('not proved') }],
    ['only the query of its URL', { url: `${url}?token=old` }, proved, { property: 'url', from: url, to: url }],
  ])('repairs %s', (_, difference, proof, change) => {
    const plan = planWebhook({ ...webhook, ...difference }, wanted, proof)
    expect(plan).toMatchObject({ action: 'update', changes: [change] })
    expect(JSON.stringify(plan.changes)).not.toContain('token')
  })
})

describe('the webhook of a target', () => {
  const second = { ...webhook, id: '8', active: false }
  const elsewhere = { ...webhook, id: '9', url: 'https://other.example/?token=hidden' }
  const all = [webhook, second, elsewhere]

  test('is the one with its id, or the one that delivers to the URL', () => {
    expect(selectWebhook(all, { repository: 'acme/shop', id: '8' }, url)).toBe(second)
    expect(selectWebhook(all, { organization: 'acme' }, elsewhere.url)).toBe(elsewhere)
    expect(selectWebhook(all, { organization: 'acme' }, 'https://new.example/')).toBeUndefined()
    expect(selectWebhook([elsewhere], { organization: 'acme' }, undefined)).toBe(elsewhere)
  })

  test('is ambiguous if two webhooks deliver to the same URL', () => {
    expect(() => selectWebhook(all, { repository: 'acme/shop' }, url)).toThrow(
      [
        `acme/shop has 2 webhooks that deliver to ${url}:`,
        `  acme/shop#7  ${url}  issues, push  active`,
        `  acme/shop#8  ${url}  issues, push  inactive`,
        'Choose one by its id, such as acme/shop#7, or delete one: npx hookserver webhooks delete acme/shop#<id>',
      ].join('\n'),
    )
  })

  test('cannot be selected if no webhook has the id, and the error lists the webhooks without their queries', () => {
    const select = () => selectWebhook([elsewhere], { repository: 'acme/shop', id: '1' }, undefined)
    expect(select).toThrow('acme/shop has no webhook with the id 1. Its webhooks: acme/shop#9 (https://other.example/)')
  })
})
