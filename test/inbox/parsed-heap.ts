/**
 * Prints the bytes that each hostile body needs when it is parsed, including its text. Run with `--expose-gc`, and with
 * `--single-threaded-gc`, because another thread may free a buffer after `gc()` has returned.
 */
import { getHeapStatistics } from 'node:v8'
import { hostileBodies } from './hostile-bodies.ts'

function memory(): number {
  globalThis.gc?.()
  const { used_heap_size, external_memory } = getHeapStatistics()
  return used_heap_size + external_memory
}

function needOf(body: Uint8Array): number {
  const before = memory()
  const text = new TextDecoder().decode(body)
  const parsed: unknown = JSON.parse(text)
  const need = memory() - before
  return typeof parsed === 'object' && text.length > 0 ? need : 0 // keeps `parsed` and `text` alive until here
}

/** The median of three measurements: V8 may free other memory, such as unused code, during one of them. */
function medianNeedOf(text: string): number {
  const needs = [1, 2, 3].map(() => needOf(new TextEncoder().encode(text)))
  return needs.toSorted((a, b) => a - b)[1] as number
}

const needs = Object.entries(hostileBodies).map(([name, text]) => [name, medianNeedOf(text)])
console.log(JSON.stringify(Object.fromEntries(needs)))
