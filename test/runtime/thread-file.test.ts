import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { threadFile } from '../../src/runtime/thread-client.ts'

const root = new URL('../../', import.meta.url)

describe.each(['sqlite', 'postgres'] as const)('the program of the threads of hookserver/%s', (folder) => {
  const missing =
    `hookserver/${folder} cannot find the file that its threads run: ` +
    'configure your bundler to keep "hookserver" external'

  test('is thread.js in dist, and thread.ts in the sources', () => {
    const inDist = new URL(`dist/${folder}/thread.js`, root)
    expect(threadFile(() => inDist, folder).href).toBe(inDist.href)
    const inSources = new URL(`src/${folder}/thread.js`, root)
    expect(threadFile(() => inSources, folder).href).toBe(new URL('thread.ts', inSources).href)
  })

  test('has a literal URL in dist, so that bundlers that trace files find it', () => {
    const file = new URL(folder === 'sqlite' ? 'dist/chunks/sqlite.js' : 'dist/postgres/index.js', root)
    const literal = `new URL("../${folder}/thread.js", import.meta.url)`
    expect(readFileSync(file, 'utf8')).toContain(literal)
    expect(threadFile(() => new URL(`../${folder}/thread.js`, file), folder).href).toContain(
      `/dist/${folder}/thread.js`,
    )
  })

  test('is not found in a bundle without it', () => {
    const bundle = pathToFileURL(join(tmpdir(), 'no-such-folder', 'bundle', 'index.js'))
    expect(() => threadFile(() => new URL(`../${folder}/thread.js`, bundle), folder)).toThrow(missing)
  })

  test('is not found in a bundle of CommonJS, where import.meta.url is undefined', () => {
    const url = undefined as unknown as string
    expect(() => threadFile(() => new URL(`../${folder}/thread.js`, url), folder)).toThrow(missing)
  })

  test.each(['thread.3f2a91c0.js', 'thread.js'])('is not %s, a copy that a bundler made of it as an asset', (name) => {
    const assets = mkdtempSync(join(tmpdir(), 'hookserver-assets-'))
    onTestFinished(() => rmSync(assets, { recursive: true }))
    const copy = join(assets, name)
    cpSync(fileURLToPath(new URL(`src/${folder}/thread.ts`, root)), copy)
    expect(() => threadFile(() => pathToFileURL(copy), folder)).toThrow(missing)
  })

  test('is not an address that webpack made relative', () => {
    const address = Object.create(URL.prototype, { pathname: { value: `/static/${folder}/thread.js` } })
    Object.defineProperties(address, { href: { value: address.pathname }, protocol: { value: '' } })
    Object.defineProperty(address, 'toString', { value: () => address.pathname })
    expect(() => threadFile(() => address, folder)).toThrow(missing)
  })
})
