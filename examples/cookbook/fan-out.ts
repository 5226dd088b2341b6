/** Passes each delivery on to several services. docs/cookbook/fan-out.md explains it. */
import { type Delivery, Hooks, sign } from 'hookserver'

const hooks = new Hooks()

/** The services by name: `SERVICES='{"audit":"http://10.0.0.5/hooks"}'`. */
const services: Record<string, string> = JSON.parse(process.env.SERVICES ?? '{}')
const secret = process.env.FORWARD_SECRET ?? ''
if (secret === '') throw new Error('Set FORWARD_SECRET to the secret of the services')

for (const [name, url] of Object.entries(services))
  hooks.on('*', { name: `forward-${name}` }, (delivery) => forward(delivery, url))

async function forward({ event, guid, headers, body, signal }: Delivery, url: string): Promise<number> {
  const bytes = await body() // the bytes that GitHub signed
  const forwarded = {
    'content-type': headers['content-type'] ?? 'application/json',
    'x-github-event': event,
    'x-github-delivery': guid,
    'x-github-hook-id': headers['x-github-hook-id'] ?? '',
    'x-hub-signature-256': await sign(secret, bytes), // with a secret of these services, and not with GitHub's
  }
  const response = await fetch(url, { method: 'POST', headers: forwarded, body: bytes, redirect: 'error', signal })
  if (!response.ok) throw new Error(`The service answered ${response.status}`)
  return response.status
}

export default hooks
