import assert from 'node:assert/strict'
import type { Answer, ContractHost } from './client.ts'

/** One requirement for every adapter. `run` rejects with an `AssertionError` if the adapter does not meet it. */
export interface ContractCase {
  /** Identifies the case, whatever its name is. */
  id: string
  /** Describes the requirement. */
  name: string
  /**
   * `streaming`: needs a platform that passes a request on before its body is complete. `consuming`: needs other
   * software that reads the body before hookserver does. `dot segments`: needs a router that passes on paths with the
   * segments `.` and `..`. `raw HTTP`: needs a server that parses HTTP.
   */
  about?: 'streaming' | 'consuming' | 'dot segments' | 'raw HTTP'
  /** Rejects if the adapter does not meet the requirement. */
  run(host: ContractHost): Promise<void>
}

/**
 * Asserts a rejection: its status, the code in the JSON answer of the framework's error handler, and for a 503 the
 * header `Retry-After`.
 */
export function assertRefused(answer: Answer, status: number, code: string): void {
  assert.equal(answer.status, status, `expected ${status} ${code}, got ${answer.status} ${answer.text}`)
  assert.equal(JSON.parse(answer.text).code, code)
  if (status === 503) assert.match(String(answer.headers['retry-after']), /^\d+$/, 'a 503 has Retry-After')
}

export function assertAnswered(answer: Answer, status: number, text: string): void {
  assert.equal(answer.status, status, `expected ${status}, got ${answer.status} ${answer.text}`)
  assert.equal(answer.text, text)
}
