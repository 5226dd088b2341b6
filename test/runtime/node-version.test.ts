import { expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { nodeVersionProblem, nodeVersions } from '../../src/runtime/node-version.ts'
import template from '../../templates/common/package.json' with { type: 'json' }

test('the versions are those in package.json, also of a new project', () => {
  expect([manifest.engines.node, template.engines.node]).toEqual([nodeVersions, nodeVersions])
})

test.each(['22.20.0', '22.23.1', '24.7.0', '25.0.0', '100.0.0-nightly'])('Node.js %s is not too old', (version) => {
  expect(nodeVersionProblem(version)).toBeUndefined()
})

test.each(['20.20.2', '22.19.0', '22.9.0', '23.11.1', '24.6.0', '8.0.0'])('Node.js %s is too old', (version) => {
  expect(nodeVersionProblem(version)).toBe(
    `hookserver needs Node.js 24.7 or later, or 22.20 or later of Node.js 22; this is ${version}.`,
  )
})

test('another runtime may give the number of an older Node.js 24', () => {
  expect(nodeVersionProblem('24.3.0', false)).toBeUndefined()
  expect(nodeVersionProblem('20.0.0', false)).toBeDefined()
})
