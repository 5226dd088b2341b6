import { expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { nodeVersionProblem, oldestNode } from '../../src/runtime/node-version.ts'

test('the oldest version is the one in package.json', () => {
  expect(manifest.engines.node).toBe(`>=${oldestNode}`)
})

test.each(['22.18.0', '22.19.1', '24.0.0', '100.0.0-nightly'])('Node.js %s is not too old', (version) => {
  expect(nodeVersionProblem(version)).toBeUndefined()
})

test.each(['20.20.2', '22.17.1', '22.9.0', '8.0.0'])('Node.js %s is too old', (version) => {
  expect(nodeVersionProblem(version)).toBe(`hookserver needs Node.js 22.18 or later; this is ${version}.`)
})
