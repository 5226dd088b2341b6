import { describe, expect, test } from 'vitest'
import { stepFor } from '../../../src/cli/init/plan.ts'

test.each([
  ['the same text', 'export default 1\n', { step: 'keep', text: 'export default 1\n' }],
  ['another text', 'export default 2\n', { step: 'overwrite', text: 'export default 1\n' }],
])('keeps or overwrites a file with %s', (_, existing, expected) => {
  expect(stepFor({ path: 'hooks.ts', text: 'export default 1\n' }, existing)).toEqual(expected)
})

describe('package.json', () => {
  const needed = {
    name: 'bot',
    private: true,
    type: 'module',
    scripts: { dev: 'hookserver serve hooks.ts --dev', test: 'node --test' },
    dependencies: { hookserver: '^0.1.0', octokit: '^5.0.0' },
    devDependencies: { typescript: '^7.0.2' },
  }
  const merged = (existing: unknown) => {
    const { step, text } = stepFor({ path: 'package.json', text: JSON.stringify(needed) }, JSON.stringify(existing))
    return { step, manifest: JSON.parse(text) }
  }

  test('gets the missing members, and keeps its own values', () => {
    const existing = {
      ...{ name: 'mine', version: '2.0.0', type: 'module', scripts: { test: 'vitest', lint: 'biome check' } },
      dependencies: { hookserver: 'file:hookserver.tgz' },
    }
    expect(merged(existing)).toEqual({
      step: 'update',
      manifest: {
        ...existing,
        scripts: { dev: 'hookserver serve hooks.ts --dev', test: 'vitest', lint: 'biome check' },
        dependencies: { hookserver: 'file:hookserver.tgz', octokit: '^5.0.0' },
        devDependencies: { typescript: '^7.0.2' },
      },
    })
  })

  test('does not become private', () => {
    expect(merged({ name: 'mine' }).manifest).not.toHaveProperty('private')
  })

  test('does not change if it has everything', () => {
    const { private: _, ...existing } = { ...needed, version: '2.0.0' }
    const text = JSON.stringify(existing) // without the line breaks that init writes
    expect(stepFor({ path: 'package.json', text: JSON.stringify(needed) }, text)).toEqual({ step: 'keep', text })
  })

  test('from `npm init -y` gets another type, and another script `test`', () => {
    const existing = { name: 'mine', scripts: { test: 'echo "Error: no test specified" && exit 1' }, type: 'commonjs' }
    const { step, manifest } = merged(existing)
    expect(step).toBe('update')
    expect(manifest).toMatchObject({ name: 'mine', type: 'module', scripts: { test: 'node --test' } })
  })

  test('with CommonJS modules and a script `test` of the user is in the way', () => {
    expect(merged({ type: 'commonjs', scripts: { test: 'vitest' } }).step).toBe('overwrite')
    expect(merged({ type: 'commonjs' }).step).toBe('overwrite')
  })

  test.each(['{', '[]', 'null'])('with %j is an error', (existing) => {
    expect(() => stepFor({ path: 'package.json', text: '{}' }, existing)).toThrow(
      'package.json does not contain a JSON object: correct or remove it',
    )
  })
})

test.each([
  ['', 'node_modules/\n.env\n'],
  ['dist/\nnode_modules/', 'dist/\nnode_modules/\n.env\n'],
  ['dist/\r\n.env\r\nnode_modules/\r\n', undefined],
])('.gitignore with %j gets the missing lines', (existing, expected) => {
  const planned = stepFor({ path: '.gitignore', text: 'node_modules/\n# Secrets\n.env\n' }, existing)
  expect(planned).toEqual(expected ? { step: 'update', text: expected } : { step: 'keep', text: existing })
})
