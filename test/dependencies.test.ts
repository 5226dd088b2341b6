/** SECURITY.md names the packages that npm installs, and the optional ones. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const read = (file: string) => readFileSync(join(import.meta.dirname, '..', file), 'utf8')
const { dependencies, peerDependencies } = JSON.parse(read('package.json'))
const namesIn = (text = '') => [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)

test('SECURITY.md names the dependency and the optional peers', () => {
  const security = read('SECURITY.md')
  const installed = /^npm installs one package besides hookserver: (`[^`]+`)/m.exec(security)?.[1]
  expect(namesIn(installed)).toEqual(Object.keys(dependencies))
  const peers = /^The peer dependencies (.*) are optional/m.exec(security)?.[1]
  expect(namesIn(peers).sort()).toEqual(Object.keys(peerDependencies).sort())
})
