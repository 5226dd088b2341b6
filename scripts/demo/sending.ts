import { samples, signedRequest, type TestRequest } from 'hookserver/testing'
import { progress } from './progress.ts'

/** The number of stored deliveries, and the unexpected responses. */
export interface Sent {
  stored: number
  failures: string[]
}

/** Sends every sample as GitHub does, then a delivery and a copy of it, then two forged deliveries. */
export async function sendAll(url: string, secret: string, signal: AbortSignal): Promise<Sent> {
  const deliveries = samples()
  const answered = { 202: 0, 200: 0, 400: 0 }
  const failures: string[] = []
  const send = async (what: string, request: TestRequest, status: keyof typeof answered) => {
    const answer = await fetch(url, { ...request, signal })
    const text = await answer.text()
    if (answer.status === status) answered[status]++
    else failures.push(`${what} was answered ${answer.status} ${text}`)
  }

  console.log(`hookserver listens at ${url}; ${deliveries.length} signed deliveries follow`)
  for (const [index, { event, payload }] of deliveries.entries()) {
    progress(index + 1, deliveries.length, event)
    await send(event, signedRequest(event, { secret, payload }), 202)
  }
  const again = signedRequest('ping', { secret })
  await send('a delivery', again, 202)
  await send('a copy of it', again, 200)
  await send('an unsigned delivery', signedRequest('ping', {}), 400)
  await send('a wrong signature', signedRequest('ping', { secret: 'another' }), 400)
  const { 202: stored, 200: copies, 400: rejected } = answered
  console.log(
    `${stored} stored and answered 202 Accepted, ${copies} copy answered 200 Duplicate, ${rejected} forgeries rejected`,
  )
  return { stored, failures }
}
