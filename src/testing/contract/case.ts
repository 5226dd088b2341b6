import assert from 'node:assert/strict'
import type { Answer, ContractHost } from './client.ts'

/** One thing that every adapter must do. `run` rejects with an `AssertionError` if it does not. */
export interface ContractCase {
  id: string
  name: string
  /** `streaming`: about bodies on their way, which a platform that hands over whole requests never sees. `consuming`: about bodies that were read before. */
  about?: 'streaming' | 'consuming'
  run(host: ContractHost): Promise<void>
}

/** Asserts a refusal: the status, and the code in the JSON that the framework's error path answered with. */
export function assertRefused(answer: Answer, status: number, code: string): void {
  assert.equal(answer.status, status, `expected ${status} ${code}, got ${answer.status} ${answer.text}`)
  assert.equal(JSON.parse(answer.text).code, code)
  if (status === 503) assert.match(String(answer.headers['retry-after']), /^\d+$/, 'a 503 has Retry-After')
}

export function assertAnswered(answer: Answer, status: number, text: string): void {
  assert.equal(answer.status, status, `expected ${status}, got ${answer.status} ${answer.text}`)
  assert.equal(answer.text, text)
}
