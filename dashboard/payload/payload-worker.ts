/** Holds a payload in a worker thread, so that large payloads do not block the page. */
import { Payload } from './payload.ts'
import type { Answer, Name, Question } from './protocol.ts'

const payload = new Payload()
const thread = globalThis as unknown as {
  onmessage: (event: MessageEvent<Question>) => void
  postMessage: (answer: Answer) => void
}

thread.onmessage = async ({ data: { id, name, asks } }) => {
  try {
    const answer = payload[name as Name] as (asks: unknown) => unknown
    thread.postMessage({ id, answers: await answer.call(payload, asks) })
  } catch (error) {
    thread.postMessage({ id, error: (error as Error).message })
  }
}
