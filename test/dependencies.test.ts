/** The package has no dependencies, and SECURITY.md names the optional ones. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const read = (file: string) => readFileSync(join(import.meta.dirname, '..', file), 'utf8')
const { dependencies, peerDependencies } = JSON.parse(read('package.json'))
const namesIn = (text = '') => [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)

test('the package has no dependencies', () => {
  expect(dependencies).toBeUndefined()
})

test('SECURITY.md names the optional peers', () => {
  const peers = /^The peer dependencies (.*) are optional/m.exec(read('SECURITY.md'))?.[1]
  expect(namesIn(peers).sort()).toEqual(Object.keys(peerDependencies).sort())
})
