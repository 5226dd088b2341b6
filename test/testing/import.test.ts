import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'

const entry = pathToFileURL(join(import.meta.dirname, '../../dist/testing/index.js')).href

test('an import of hookserver/testing does not read the samples', () => {
  const program = `
    import fs from 'node:fs'
    import { syncBuiltinESMExports } from 'node:module'
    const { readFileSync } = fs
    fs.readFileSync = (file, ...options) => {
      if (String(file).endsWith('.br')) console.log('samples')
      return readFileSync(file, ...options)
    }
    syncBuiltinESMExports()
    const { sample } = await import('${entry}')
    console.log('imported')
    sample('ping')`
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' })
  expect(output).toBe('imported\nsamples\n')
})
